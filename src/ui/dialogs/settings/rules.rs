//! The page *Rules*: a list of events, and the command that each of them runs.

use egui::{Id, Ui, vec2};

use crate::studio::Command;
use crate::studio::settings::{MAX_RULE_TEXT_BYTES, MAX_RULES, Rule};
use crate::ui::dialogs::card::DialogContext;
use crate::ui::dialogs::settings::row::{Choice, choice, wide_row};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::{Action, key};
use crate::ui::input::named::{AnyCommand, NamedCommand};
use crate::ui::input::rules::effect::{
    RuleSwitch, is_on, may_be_in_rule, parse_rule, rule_command,
};
use crate::ui::input::rules::event::{KINDS, RuleEvent};
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap, size};
use crate::ui::view::View;
use crate::ui::widgets::{Button, Field, icon_button, paragraph, switch};

/// Width of the choices of events and switches, in points.
const KIND_WIDTH_POINTS: f32 = 170.0;
/// Width of the switch and of the buttons at the end of a line, in points.
const END_WIDTH_POINTS: f32 = 110.0;

/// The commands that rules can run, with their names.
struct Commands(Vec<(AnyCommand, String)>);

impl Commands {
    fn of(view: &View<'_>) -> Self {
        let actions = Action::ALL.iter().copied().map(AnyCommand::from);
        let named = NamedCommand::all(view.snapshot).into_iter().map(AnyCommand::from);
        let all = actions.chain(named).filter(may_be_in_rule);
        Self(all.map(|command| (command.clone(), command.title(view.texts))).collect())
    }
}

/// Draws the list.
pub(super) fn list(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    wide_row(ui, view, needs, Setting::Rules, None, |ui, view, needs| {
        let known = needs.settings.rules.take();
        let mut rules = known.unwrap_or_else(|| view.snapshot.rules.clone());
        let before = rules.clone();
        let commands = Commands::of(view);
        let (mut removed, mut typing) = (None, false);
        ui.spacing_mut().item_spacing = vec2(gap::S, gap::XS);
        for (place, rule) in rules.iter_mut().enumerate() {
            ui.push_id(("rule", place), |ui| {
                typing |= event(ui, view, place, rule);
                if command(ui, view, &commands, rule) {
                    removed = Some(place);
                }
            });
            ui.add_space(gap::S);
        }
        if let Some(place) = removed {
            rules.remove(place);
        }
        let text = view.texts.get(key!("rule-add"));
        let has_room = rules.len() < MAX_RULES;
        if Button::new(&text).small().enabled(has_room).show(ui, view.theme).clicked() {
            let scene = view.snapshot.scenes.collection.scenes.first();
            let name = scene.map(|it| it.name.clone()).unwrap_or_default();
            let when = RuleEvent::Scene(name).to_string();
            let then = AnyCommand::from(Action::Screenshot).setting();
            rules.push(Rule { when, then, enabled: true });
        }
        if rules != before {
            view.send(Command::SetRules(rules.clone()));
        }
        needs.settings.rules = typing.then_some(rules);
    });
}

/// Draws the line of the event. Returns true while the user types in it.
fn event(ui: &mut Ui, view: &View<'_>, place: usize, rule: &mut Rule) -> bool {
    let (theme, texts) = (view.theme, view.texts);
    let whole = rule.when.clone();
    let (word, rest) = whole.split_once(':').unwrap_or((&whole, ""));
    let now = KINDS.iter().position(|(known, ..)| *known == word);
    let mut detail = rest.to_owned();
    let name = texts.get(key!("rule-when"));
    let kinds: Vec<Choice<usize>> = KINDS
        .iter()
        .enumerate()
        .map(|(place, (_, key, _))| (place, texts.get(key).to_string(), None))
        .collect();
    let (mut typing, mut refusal) = (false, None);
    ui.horizontal(|ui| {
        if switch(ui, theme, &texts.get(key!("rule-enabled")), rule.enabled) {
            rule.enabled = !rule.enabled;
        }
        let shown = now.and_then(|it| kinds.get(it)).map_or(word, |(_, name, _)| name.as_str());
        let mut wanted = None;
        ui.allocate_ui(vec2(KIND_WIDTH_POINTS, size::CONTROL_HEIGHT), |ui| {
            let values = (now.unwrap_or(usize::MAX), usize::MAX);
            wanted = choice(ui, view, &name, values, shown, &kinds);
        });
        let hint = now.and_then(|it| KINDS.get(it)).map(|(.., hint)| texts.get(hint));
        let hint = hint.map(|it| it.to_string()).unwrap_or_default();
        let event = RuleEvent::parse(&rule.when);
        let wrong = event.is_none();
        refusal = event.and_then(|event| event.refusal());
        let field = Field {
            name: &texts.get(key!("rule-detail")),
            hint: &hint,
            wrong,
            limit: MAX_RULE_TEXT_BYTES / 4,
            width: ui.available_width(),
            ..Field::new(Id::unique(("rule-detail", place)), &mut detail)
        }
        .show(ui, theme);
        typing = field.response.has_focus();
        let kind = wanted.or(now).and_then(|it| KINDS.get(it));
        if let Some((word, ..)) = kind.filter(|_| wanted.is_some() || field.response.changed()) {
            rule.when = format!("{word}:{detail}");
        }
    });
    if let Some(why) = refusal {
        paragraph(ui, &texts.say(&why), Type::Small, theme.warn);
    }
    typing
}

/// Draws the line of the command. Returns true to remove the rule.
fn command(ui: &mut Ui, view: &mut View<'_>, commands: &Commands, rule: &mut Rule) -> bool {
    let texts = view.texts;
    let parsed = parse_rule(&rule.then);
    let now = parsed.as_ref().and_then(|(_, it)| commands.0.iter().position(|(one, _)| one == it));
    let choices: Vec<Choice<usize>> = commands
        .0
        .iter()
        .enumerate()
        .map(|(place, (_, name))| (place, name.clone(), None))
        .collect();
    let mut removed = false;
    ui.horizontal(|ui| {
        let mut wanted = None;
        let switches = parsed.as_ref().filter(|(_, it)| is_on(it, view.snapshot).is_some());
        let room = ui.available_width() - END_WIDTH_POINTS;
        let width = if switches.is_some() { room - KIND_WIDTH_POINTS } else { room };
        let shown = now.and_then(|it| choices.get(it)).map_or(&*rule.then, |(_, name, _)| name);
        ui.allocate_ui(vec2(width, size::CONTROL_HEIGHT), |ui| {
            let values = (now.unwrap_or(usize::MAX), usize::MAX);
            wanted = choice(ui, view, &texts.get(key!("rule-then")), values, shown, &choices);
        });
        let mut way = None;
        if let Some((switch, _)) = switches {
            let ways = [
                (RuleSwitch::Toggle, key!("rule-toggle")),
                (RuleSwitch::On, key!("rule-on")),
                (RuleSwitch::Off, key!("rule-off")),
            ]
            .map(|(way, key)| (way, texts.get(key).to_string(), None));
            let shown = ways.iter().find(|(way, ..)| way == switch);
            let shown = shown.map_or("", |(_, name, _)| name);
            ui.allocate_ui(vec2(KIND_WIDTH_POINTS, size::CONTROL_HEIGHT), |ui| {
                let name = texts.get(key!("rule-switch"));
                way = choice(ui, view, &name, (*switch, RuleSwitch::Toggle), shown, &ways);
            });
        }
        if let Some((command, _)) = wanted.and_then(|it| commands.0.get(it)) {
            rule.then = command.setting();
        } else if let (Some(way), Some((_, command))) = (way, &parsed) {
            rule.then = match way {
                RuleSwitch::Toggle => command.setting(),
                RuleSwitch::On => format!("on {}", command.setting()),
                RuleSwitch::Off => format!("off {}", command.setting()),
            };
        }
        let test = texts.get(key!("rule-test"));
        if Button::new(&test).small().enabled(parsed.is_some()).show(ui, view.theme).clicked()
            && let Some(command) = rule_command(&rule.then, view.snapshot)
        {
            view.send(command);
        }
        let name = texts.get(key!("rule-remove"));
        removed = icon_button(ui, view.theme, Icon::Trash, &name, 28.0).clicked();
    });
    if parsed.is_none() {
        paragraph(ui, &texts.get(key!("rule-unknown")), Type::Small, view.theme.warn);
    }
    removed
}

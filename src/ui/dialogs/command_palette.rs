//! The command palette: finds commands, scenes, sources, audio sources, targets and settings by a
//! part of their name in either language. Commands that are impossible now follow the others, with
//! the reason.

use egui::{
    Align, Context, CornerRadius, Id, Key, Modifiers, Role, ScrollArea, Sense, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};

use crate::compose::scene::{SceneId, SourceId};
use crate::mix::StripId;
use crate::studio::settings::part::PartKind;
use crate::ui::dialogs::card::{DialogAnswer, DialogContext, dialog_room, modal};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::{Action, key};
use crate::ui::input::hotkeys::{Keymap, shortcut_text};
use crate::ui::input::named::{AnyCommand, NamedCommand, NamedKind};
use crate::ui::input::possible::ImpossibleReason;
use crate::ui::scenes::kind::icon_of_choice;
use crate::ui::studio_page::mixer::labels;
use crate::ui::style::icons::{self, Icon};
use crate::ui::style::theme::{Type, gap};
use crate::ui::targets;
use crate::ui::text::{Language, Texts};
use crate::ui::view::View;
use crate::ui::widgets::{Field, Wrapped, announced, elided, label};

/// Height of the list in points, where the window has it. The list has this height even if it has
/// only few lines, so that the search field stays in its place.
const LIST_HEIGHT_POINTS: f32 = 360.0;
/// Minimum height of the list: two lines.
const MIN_LIST_HEIGHT_POINTS: f32 = 70.0;
/// The height around the list that the window must have, in points.
const OUTER_HEIGHT_POINTS: f32 = 140.0;
/// Height of the explanation below the list, in points.
const EXPLANATION_HEIGHT_POINTS: f32 = 42.0;

/// The state of the search.
#[derive(Debug, Default)]
pub struct Search {
    query: String,
    /// The current line, which Enter runs. Without a query, there is none until the user selects
    /// one, so that Enter alone does nothing.
    at: Option<usize>,
    /// True if the user tried to run the current command although it is impossible.
    refused: bool,
    /// The texts of the language that the window does not use.
    other: Option<Texts>,
}

impl Search {
    /// Returns the texts of the other language. The search also finds commands in that language.
    fn other(&mut self, view: &View<'_>) -> &Texts {
        let language = match view.texts.language() {
            Language::English => Language::Chinese,
            Language::Chinese => Language::English,
        };
        if self.other.as_ref().is_none_or(|texts| texts.language() != language) {
            self.other = None;
        }
        self.other.get_or_insert_with(|| Texts::new(language))
    }
}

/// The action of a palette line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum PaletteChoice {
    Act(Action),
    Named(NamedCommand),
    Scene(SceneId),
    Source(SourceId),
    Strip(StripId),
    Target(u32),
    Setting(Setting),
    /// The collection or profile at this position in the list.
    Part(PartKind, usize),
}

impl PaletteChoice {
    fn answer(&self) -> DialogAnswer {
        match *self {
            Self::Act(action) => DialogAnswer::Act(action),
            Self::Named(ref command) => DialogAnswer::Named(command.clone()),
            Self::Scene(id) => DialogAnswer::Scene(id),
            Self::Source(id) => DialogAnswer::Source(id),
            Self::Strip(id) => DialogAnswer::Strip(id),
            Self::Target(id) => DialogAnswer::EditTarget(id),
            Self::Setting(setting) => DialogAnswer::Setting(setting),
            Self::Part(kind, place) => DialogAnswer::UsePart(kind, place),
        }
    }
}

/// A line in the palette.
struct Entry {
    choice: PaletteChoice,
    icon: Icon,
    name: String,
    /// Additional text by which the search finds the entry.
    also: String,
    /// The kind of the entry, if it is not a command.
    kind: Option<&'static str>,
    /// The command whose hotkey has the same effect.
    hotkey: Option<AnyCommand>,
    /// The reason why the command is impossible now.
    why_not: Option<ImpossibleReason>,
}

impl Entry {
    /// Returns the explanation of the command or setting.
    fn tip(&self, view: &View<'_>) -> String {
        match &self.choice {
            PaletteChoice::Act(action) => view.texts.get(action.tip()).to_string(),
            PaletteChoice::Named(command) => view.texts.get(command.tip()).to_string(),
            PaletteChoice::Setting(setting) => view.texts.get(setting.note()).to_string(),
            _ => String::new(),
        }
    }
}

fn entries(ctx: &Context, view: &View<'_>, needs: &DialogContext<'_>, other: &Texts) -> Vec<Entry> {
    let (texts, snapshot) = (view.texts, view.snapshot);
    // Scenes are found by their own names, so their commands are omitted.
    let actions = Action::ALL
        .iter()
        .copied()
        .filter(|action| action.scene().is_none() && *action != Action::Palette);
    let mut all: Vec<Entry> = actions
        .map(|action| Entry {
            choice: PaletteChoice::Act(action),
            icon: action.icon(),
            name: texts.get(action.key()).to_string(),
            also: [other.get(action.key()), texts.get(action.tip())].join(" "),
            kind: None,
            hotkey: Some(action.into()),
            why_not: needs.impossible.get(&action).copied(),
        })
        .collect();
    let entry = |choice, icon, name: &str, kind| Entry {
        choice,
        icon,
        name: name.to_owned(),
        also: [texts.get(kind), other.get(kind)].join(" "),
        kind: Some(kind),
        hotkey: None,
        why_not: None,
    };
    // Scenes, collections and profiles have their own entries below.
    let acts = NamedCommand::all(snapshot).into_iter().filter(|command| {
        use NamedKind::{Layout, Source, Strip, Target};
        matches!(command.kind, Source | Strip | Target | Layout)
    });
    all.extend(acts.map(|command| Entry {
        icon: command.kind.icon(),
        name: command.title(texts),
        also: [command.title(other), texts.get(command.tip()).to_string()].join(" "),
        kind: None,
        hotkey: Some(command.clone().into()),
        why_not: command.why_not(snapshot),
        choice: PaletteChoice::Named(command),
    }));
    let named = |kind, name: &str| NamedCommand { kind, name: name.to_owned() };
    let keymap = Keymap::installed(ctx);
    let collection = &snapshot.scenes.collection;
    all.extend(collection.scenes.iter().enumerate().map(|(place, scene)| {
        let own = AnyCommand::from(named(NamedKind::Scene, &scene.name));
        let own = Some(own).filter(|own| keymap.hotkey(own.clone()).is_some());
        Entry {
            hotkey: own.or_else(|| Action::of_scene(place).map(AnyCommand::from)),
            ..entry(PaletteChoice::Scene(scene.id), Icon::Film, &scene.name, key!("palette-scene"))
        }
    }));
    all.extend(collection.sources.iter().map(|source| {
        entry(
            PaletteChoice::Source(source.id),
            icon_of_choice(&source.choice),
            &source.name,
            key!("palette-source"),
        )
    }));
    all.extend(snapshot.strips.iter().map(|strip| {
        let name = labels::label_of(view, strip);
        let icon = labels::icon_of(&strip.audio.choice);
        entry(PaletteChoice::Strip(strip.audio.id), icon, &name, key!("palette-strip"))
    }));
    all.extend(snapshot.targets.iter().map(|target| {
        let name = targets::title(texts, &target.target);
        entry(
            PaletteChoice::Target(target.target.id),
            Icon::Broadcast,
            &name,
            key!("palette-target"),
        )
    }));
    for (kind, word, icon) in [
        (PartKind::Collection, key!("palette-collection"), Icon::Film),
        (PartKind::Profile, key!("palette-profile"), Icon::Settings),
    ] {
        let names = snapshot.parts.names(kind).iter().enumerate();
        let others = names.filter(|(_, name)| *name != snapshot.parts.in_use.name(kind));
        let as_named = match kind {
            PartKind::Collection => NamedKind::Collection,
            PartKind::Profile => NamedKind::Profile,
        };
        all.extend(others.map(|(place, name)| Entry {
            hotkey: Some(named(as_named, name).into()),
            ..entry(PaletteChoice::Part(kind, place), icon, name, word)
        }));
    }
    all.extend(Setting::ALL.iter().map(|setting| {
        let key = setting.key();
        let icon = setting.page().icon();
        let entry =
            entry(PaletteChoice::Setting(*setting), icon, &texts.get(key), key!("palette-setting"));
        let (name, note) = (other.get(key), texts.get(setting.note()));
        let also = [&*entry.also, &*name, &*note].join(" ");
        Entry { also, ..entry }
    }));
    all
}

/// The rank of an entry whose name does not contain the query.
const EXPLANATION_RANK: u8 = 3;

/// Returns the rank of an entry for the query (lower is better), or `None` if the entry does not
/// match.
fn rank(name: &str, also: &str, query: &str) -> Option<u8> {
    let (name, also, query) = (name.to_lowercase(), also.to_lowercase(), query.to_lowercase());
    let query = query.trim();
    let has = |text: &str| query.split_whitespace().all(|word| text.contains(word));
    if query.is_empty() || name.starts_with(query) {
        Some(0)
    } else if name.split_whitespace().any(|word| word.starts_with(query)) {
        Some(1)
    } else if has(&name) {
        Some(2)
    } else {
        has(&format!("{name} {also}")).then_some(EXPLANATION_RANK)
    }
}

pub fn show(
    ctx: &Context,
    view: &View<'_>,
    needs: &DialogContext<'_>,
    search: &mut Search,
) -> Option<DialogAnswer> {
    let texts = view.texts;
    if needs.fresh {
        (search.query, search.at, search.refused) = Default::default();
    }
    let (up, down, enter) = ctx.input_mut(|input| {
        (
            input.consume_key(Modifiers::NONE, Key::ArrowUp),
            input.consume_key(Modifiers::NONE, Key::ArrowDown),
            input.consume_key(Modifiers::NONE, Key::Enter),
        )
    });
    modal(ctx, view.theme, "palette", 520.0, |ui| {
        let field = Field {
            name: &texts.get("palette"),
            hint: &texts.get("palette-hint"),
            limit: 200,
            width: ui.available_width(),
            ..Field::new(Id::unique("palette-query"), &mut search.query)
        }
        .show(ui, view.theme);
        if needs.fresh {
            field.response.request_focus();
        }
        if field.response.changed() {
            let has_query = !search.query.trim().is_empty();
            (search.at, search.refused) = (has_query.then_some(0), false);
        }
        let query = search.query.clone();
        let mut all = entries(ui.ctx(), view, needs, search.other(view));
        if query.trim().is_empty() {
            all.retain(|it| it.why_not.is_none());
        }
        let ranked = all.into_iter().filter_map(|it| Some((rank(&it.name, &it.also, &query)?, it)));
        let mut found: Vec<(u8, Entry)> = ranked.collect();
        // Possible commands come first, but not before impossible ones whose names match better:
        // Enter must not run a command that has only a similar explanation.
        found.sort_by_key(|(rank, it)| (*rank == EXPLANATION_RANK, it.why_not.is_some(), *rank));
        let (last, before) = (found.len().saturating_sub(1), search.at);
        search.at = match (up, down) {
            (true, _) => search.at.and_then(|at| at.checked_sub(1)).or(Some(last)),
            (_, true) => Some(search.at.filter(|at| *at < last).map_or(0, |at| at + 1)),
            _ => search.at.map(|at| at.min(last)),
        };
        let moved = ui.input(|input| input.pointer.delta() != Vec2::ZERO);
        let (mut answer, mut pointed, mut refused) = (None, None, false);
        let room = dialog_room(ui.ctx()).y - OUTER_HEIGHT_POINTS;
        let height = LIST_HEIGHT_POINTS.min(room.max(MIN_LIST_HEIGHT_POINTS));
        ScrollArea::vertical().max_height(height).auto_shrink(false).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            if found.is_empty() {
                let none = texts.get("palette-none");
                announced(&label(ui, &none, Type::Body, view.theme.secondary));
            }
            for (index, (_, entry)) in found.iter().enumerate() {
                let at = Some(index) == search.at;
                let response = line(ui, view, entry, at);
                if (moved && response.hovered()) || response.gained_focus() {
                    pointed = Some(index);
                }
                if at && (up || down) {
                    response.scroll_to_me(None);
                }
                if response.clicked() || (at && enter) {
                    let may = entry.why_not.is_none();
                    (answer, refused) = (may.then(|| entry.choice.answer()), !may);
                    pointed = Some(index);
                }
            }
        });
        if pointed.is_some() && pointed != search.at {
            search.at = pointed;
            ui.request_repaint();
        }
        search.refused = refused || (search.refused && search.at == before);
        match search.at.and_then(|at| found.get(at)) {
            Some((_, entry)) => foot(ui, view, entry, search.refused),
            None => {
                let room = vec2(ui.available_width(), EXPLANATION_HEIGHT_POINTS);
                ui.allocate_exact_size(room, Sense::hover());
            }
        }
        answer
    })
}

/// Draws the explanation of the line that Enter would select. The explanation is below the list,
/// because a tooltip would cover the next lines. If the command is impossible, the reason is in its
/// place. A screen reader announces the line, because the search field keeps the keyboard focus, and
/// the reason if the user tries to run the command.
fn foot(ui: &mut Ui, view: &View<'_>, entry: &Entry, refused: bool) {
    let width = ui.available_width();
    let (room, response) =
        ui.allocate_exact_size(vec2(width, EXPLANATION_HEIGHT_POINTS), Sense::hover());
    ui.painter().hline(room.x_range(), room.top() + 0.5, view.theme.border());
    let inner = room.shrink2(vec2(gap::S + 2.0, gap::S)).with_max_y(room.bottom());
    let why = entry.why_not.map(|why| why.say(view.texts));
    let refused = refused && why.is_some();
    let tip = &why.clone().unwrap_or_else(|| entry.tip(view));
    let status = match why {
        Some(why) if refused => why,
        Some(why) => format!("{}: {why}", entry.name),
        None => entry.name.clone(),
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Status, true, &status));
    announced(&response);
    let color = if refused { view.theme.warn } else { view.theme.secondary };
    let align = Align::Min;
    let words = Wrapped::new(ui, tip, Type::Small, color, inner.width(), inner.height(), align);
    words.paint(ui, inner.min);
}

fn line(ui: &mut Ui, view: &View<'_>, entry: &Entry, at: bool) -> egui::Response {
    let theme = view.theme;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 34.0), Sense::click());
    let why = entry.why_not.map(|why| why.say(view.texts));
    let possible = why.is_none();
    response.widget_info(|| WidgetInfo::labeled(Role::MenuItem, possible, &entry.name));
    if at {
        ui.painter().rect_filled(rect, CornerRadius::same(4), theme.hover);
    }
    let center = pos2(rect.left() + 18.0, rect.center().y);
    let icon = icons::paint_at(ui.painter(), entry.icon, center, 16.0, theme.secondary);
    let mut words = rect.shrink2(vec2(gap::S + 2.0, 0.0));
    let keys = entry.hotkey.clone().filter(|_| possible);
    let keys = keys.and_then(|command| shortcut_text(ui.ctx(), command));
    let kind = entry.kind.map(|kind| view.texts.get(kind).to_string());
    let end = [kind, keys, why.clone()].into_iter().flatten().collect::<Vec<_>>().join("   ");
    // A long reason leaves room for the name.
    let part = if possible { 0.0 } else { 0.4 };
    let room = words.with_min_x(words.left() + part * words.width());
    let painted = elided(ui, room, Align::Max, &end, Type::SmallStrong.font(), theme.secondary);
    words.min.x = icon.right() + gap::S;
    words.max.x = painted.left() - gap::S;
    let color = if possible { theme.text } else { theme.secondary };
    elided(ui, words, Align::Min, &entry.name, Type::Body.font(), color);
    let tip = why.unwrap_or_else(|| entry.tip(view));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(tip));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_order_case_and_language() {
        let fits = |name, also, query| rank(name, also, query).is_some();
        assert!(fits("Go live or stop", "", "live go"));
        assert!(fits("Go live or stop", "", ""));
        assert!(fits("开始或停止直播", "Go live or stop", "直播"));
        assert!(fits("开始或停止直播", "Go live or stop", "LIVE"));
        assert!(fits("Gaming", "Scene 场景", "场景 gam"));
        assert!(!fits("Go live or stop", "", "record"));
        // Names that begin with the query come before those that only contain it.
        assert!(rank("Record", "", "re") < rank("Add a replay", "", "re"));
        assert!(rank("Add a replay", "", "re") < rank("Softer", "red", "re"));
    }
}

//! The viewer monitor of one target: its switch, its playback address, and its result.

use egui::{Color32, Id, Rect, Role, Sense, Ui, WidgetInfo, vec2};

use crate::studio::live::monitor::view::MonitorView;
use crate::studio::snapshot::TargetView;
use crate::studio::snapshot::health::trouble_of_viewers;
use crate::studio::watch::choices::may_be_played;
use crate::studio::{Command, Target};
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Theme, Type};
use crate::ui::targets::Draft;
use crate::ui::text::{Texts, format};
use crate::ui::video::FrameView;
use crate::ui::view::View;
use crate::ui::widgets::{Field, label, named_switch, paragraph};

/// The width of the small frame.
const FRAME_WIDTH_POINTS: f32 = 128.0;

/// Draws the monitor below the address of the open target. `running` means that the target is live
/// or connecting.
pub(super) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    entry: &TargetView,
    running: bool,
    width: f32,
) {
    let (theme, texts) = (view.theme, view.texts);
    let (name, tip) = (texts.get("monitor-switch"), texts.get("monitor-tip"));
    if named_switch(ui, theme, &name, &tip, Type::Small, entry.monitored) {
        let monitor = Some(!entry.monitored);
        view.send(Command::PutTarget(Target { monitor, ..draft.put(&entry.target) }));
    }
    if entry.monitored && !running && !entry.target.is_built_in() {
        address(ui, view, draft, &entry.target, width);
    }
    if let Some(monitor) = &entry.monitor {
        seen(ui, view, draft, (monitor, view.snapshot.is_unwatched(&entry.target)));
    }
}

/// Draws the field for the playback address.
fn address(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, target: &Target, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("play-url");
    label(ui, &name, Type::Small, theme.secondary).on_hover_text(&*texts.get("play-url-tip"));
    let typed = draft.texts(target.id).play_url.trim();
    let wrong = !(typed.is_empty() || may_be_played(typed));
    let field = Field {
        name: &name,
        hint: &texts.get("play-url-hint"),
        wrong,
        limit: 2048,
        width,
        ..Field::new(Id::unique("target-play-url"), &mut draft.texts(target.id).play_url)
    }
    .show(ui, theme);
    if wrong {
        paragraph(ui, &texts.get("play-url-wrong"), Type::Small, theme.warn);
    }
    if field.response.changed() {
        draft.texts(target.id).watched = true;
        draft.changed(target).into_iter().for_each(|command| view.send(command));
    }
    let target = draft.filled(target);
    if !target.may_show_play_url() {
        paragraph(ui, &texts.get("play-url-secret"), Type::Small, theme.secondary);
    }
}

/// Draws the result of the monitor, with a small frame.
fn seen(
    ui: &mut Ui,
    view: &View<'_>,
    draft: &mut Draft,
    (monitor, unwatched): (&MonitorView, bool),
) {
    let (theme, texts) = (view.theme, view.texts);
    let (words, color) = state(theme, texts, (monitor, unwatched));
    paragraph(ui, &words, Type::Small, color.unwrap_or(theme.secondary));
    let slot = &monitor.frame.0;
    let fresh = draft.viewers.as_ref().is_none_or(|(known, _)| !known.shares_with(slot));
    if fresh {
        draft.viewers = Some((slot.clone(), FrameView::new("viewers", slot.clone())));
    }
    let Some((_, frame)) = &mut draft.viewers else { return };
    if !frame.is_there() {
        return;
    }
    let size = vec2(FRAME_WIDTH_POINTS, (FRAME_WIDTH_POINTS / frame.shape().max(0.2)).round());
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let name = texts.get("viewers-frame");
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &*name));
    frame.paint(ui, Rect::from_min_size(rect.min, size));
    response.on_hover_text(&*texts.get("viewers-frame-tip"));
}

/// Returns the text of the state, and a color if the state needs attention. `unwatched` means that
/// nobody but the monitor plays the stream.
fn state(
    theme: &Theme,
    texts: &Texts,
    (monitor, unwatched): (&MonitorView, bool),
) -> (String, Option<Color32>) {
    match (monitor.state, monitor.latency) {
        ("ok", Some(latency)) => {
            let time = format::short_time(latency);
            let key = if unwatched { key!("viewers-none") } else { key!("viewers-behind") };
            (texts.with(key, &[("time", time.into())]), None)
        }
        (state, _) => {
            let color = is_trouble(monitor).then_some(theme.warn);
            (texts.get(words(state)).to_string(), color)
        }
    }
}

/// Returns the short text of the state for a card. If the state needs attention, the text is the
/// whole line of the card, and otherwise a part of it.
pub(super) fn in_card(texts: &Texts, monitor: &MonitorView) -> String {
    let key = match (monitor.state, monitor.latency) {
        ("ok", Some(latency)) => {
            let time = format::short_time(latency);
            return texts.with("card-behind", &[("time", time.into())]);
        }
        ("ok", None) => key!("card-ok"),
        ("comparing", _) => key!("card-comparing"),
        ("unsure", _) => key!("card-unsure"),
        ("unavailable", _) => key!("card-unavailable"),
        ("unreachable", _) => key!("card-unreachable"),
        ("wrong_size", _) => key!("card-wrong-size"),
        (state, _) => words(state),
    };
    texts.get(key).to_string()
}

/// Returns true if the viewers have a problem.
pub fn is_trouble(monitor: &MonitorView) -> bool {
    trouble_of_viewers(monitor.state).is_some()
}

/// Returns the text key for a state.
pub fn words(state: &str) -> &'static str {
    match state {
        "ok" => key!("viewers-ok"),
        "comparing" => key!("viewers-comparing"),
        "unsure" => key!("viewers-unsure"),
        "different" => key!("viewers-different"),
        "unavailable" => key!("viewers-unavailable"),
        "unreachable" => key!("viewers-unreachable"),
        "no_stream" => key!("viewers-no-stream"),
        "stalled" => key!("viewers-stalled"),
        "black" => key!("viewers-black"),
        "frozen" => key!("viewers-frozen"),
        "silent" => key!("viewers-silent"),
        "late" => key!("viewers-late"),
        "wrong_size" => key!("viewers-wrong-size"),
        _ => key!("viewers-waiting"),
    }
}

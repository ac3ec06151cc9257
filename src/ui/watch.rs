//! The page that watches a stream: address, picture, controls, figures.

use std::collections::VecDeque;

use egui::{
    Align, Align2, Color32, CornerRadius, Id, Key, Layout, Rect, Role, Sense, Ui, UiBuilder,
    WidgetInfo, pos2, vec2,
};

use crate::studio::Command;
use crate::studio::snapshot::{LiveState, WatchState};
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::notices::{self, Place};
use crate::ui::picture::{Picture, fill_around, fitted};
use crate::ui::stage::slate;
use crate::ui::target::child;
use crate::ui::theme::{BLACK, Type, gap, size};
use crate::ui::view::{View, Wish};
use crate::ui::widgets::{
    Button, Field, Look, figures, icon_button, label, paragraph, place, section, slider, sparkline,
};

/// What is being typed, and a minute of the buffer.
#[derive(Debug, Default)]
pub struct Draft {
    /// Whether the last address was taken over.
    known: bool,
    url: String,
    buffer: VecDeque<f32>,
    buffer_at: f64,
}

/// The id of the address.
pub fn url_field() -> Id {
    Id::unique("watch-url")
}

/// Whether something is being played or about to be.
fn is_busy(state: &WatchState) -> bool {
    matches!(state, WatchState::Opening | WatchState::Playing | WatchState::Reconnecting { .. })
}

impl Draft {
    /// Takes over what is or was played, while nothing was typed.
    pub fn learn(&mut self, view: &View<'_>, now: f64) {
        let playing = &view.snapshot.watch_figures.url;
        if !self.known {
            let last = &view.snapshot.watch_url;
            let own = &view.snapshot.server.play_url;
            let first = [playing, last, own].into_iter().find(|url| !url.is_empty());
            if let Some(first) = first {
                self.url.clone_from(first);
                self.known = true;
            }
        }
        if view.snapshot.watch == WatchState::Playing {
            if now - self.buffer_at >= 1.0 {
                self.buffer_at = now;
                self.buffer.push_back(view.snapshot.watch_figures.buffer.as_secs_f32() * 1000.0);
                if self.buffer.len() > 60 {
                    self.buffer.pop_front();
                }
            }
        } else {
            self.buffer.clear();
        }
    }

    /// What to play from now on.
    pub fn set_url(&mut self, url: String) {
        self.known = true;
        self.url = url;
    }
}

/// The page in `room`; tells whether the full screen is wanted.
pub fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut Draft,
    picture: &mut Picture,
    room: Rect,
    right: f32,
) -> bool {
    let theme = view.theme;
    let split = room.right() - right;
    let left = Rect::from_min_max(room.min, pos2(split, room.bottom()));
    let bar = Rect::from_min_size(left.min, vec2(left.width(), size::WATCH_ADDRESS));
    let controls =
        Rect::from_min_max(pos2(left.left(), left.bottom() - size::WATCH_CONTROLS), left.max);
    let stage = Rect::from_min_max(bar.left_bottom(), controls.right_top());
    let side = Rect::from_min_max(pos2(split, room.top()), room.max);

    ui.painter().hline(bar.x_range(), bar.bottom() - 0.5, theme.border());
    address(ui, view, draft, bar.shrink2(vec2(gap::L, 9.0)));
    screen(ui, view, picture, stage);
    ui.painter().hline(controls.x_range(), controls.top() + 0.5, theme.border());
    let full = control_bar(ui, view, draft, controls.shrink2(vec2(gap::L, gap::S)));

    ui.painter().vline(side.left() + 0.5, side.y_range(), theme.border());
    let mut panel = child(ui, side.shrink2(vec2(gap::L, gap::M)), "watch-figures");
    side_panel(&mut panel, view, draft);
    full
}

fn play(view: &mut View<'_>, draft: &Draft) {
    let url = draft.url.trim();
    if !url.is_empty() {
        view.send(Command::Watch { url: url.to_owned() });
    }
}

fn address(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, rect: Rect) {
    let (theme, texts) = (view.theme, view.texts);
    let mut row = ui.new_child(
        UiBuilder::new()
            .max_rect(rect)
            .layout(Layout::left_to_right(Align::Center))
            .id_salt("address"),
    );
    let ui = &mut row;
    ui.spacing_mut().item_spacing.x = gap::S;
    let busy = is_busy(&view.snapshot.watch);
    let (press, open) = (texts.get(if busy { "stop" } else { "play" }), texts.get("open-file"));
    let measure = |text: &str| {
        let galley =
            ui.painter().layout_no_wrap(text.to_owned(), Type::BodyStrong.font(), theme.text);
        galley.size().x
    };
    // Wide enough for both words, so that nothing moves when they change places.
    let both = measure(&texts.get("stop")).max(measure(&texts.get("play"))) + 48.0;
    let open_width = measure(&open) + 2.0 * gap::M + 24.0;
    let field = Field {
        id: url_field(),
        text: &mut draft.url,
        name: &texts.get("watch-url"),
        hint: &texts.get("watch-url-hint"),
        hidden: false,
        wrong: false,
        limit: 4096,
        buttons: &[],
        width: (rect.width() - both - open_width - 2.0 * gap::S).max(120.0),
    }
    .show(ui, theme);
    if field.response.changed() {
        draft.known = true;
    }
    let entered = field.response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    let look = if busy { Look::Plain } else { Look::Primary };
    let can = busy || !draft.url.trim().is_empty();
    let pressed = Button::new(&press).look(look).width(both).enabled(can).show(ui, theme).clicked();
    if pressed && busy {
        view.send(Command::StopWatching);
    } else if pressed || entered {
        play(view, draft);
    }
    if Button::new(&open).icon(Icon::Folder).show(ui, theme).clicked() {
        view.wish(Wish::PickWatchFile);
    }
}

/// The picture or what stands in its place.
pub fn screen(ui: &mut Ui, view: &mut View<'_>, picture: &mut Picture, room: Rect) {
    let rect = fitted(room, picture.shape(), ui.pixels_per_point());
    let name = view.texts.get("watch-picture");
    ui.interact(room, ui.scope_id().with("watched"), Sense::hover())
        .widget_info(|| WidgetInfo::labeled(Role::Image, true, &*name));
    let texts = view.texts;
    let own = !view.snapshot.server.play_url.is_empty() && view.snapshot.live == LiveState::OnAir;
    let showing = match &view.snapshot.watch {
        WatchState::Playing | WatchState::Reconnecting { .. } => picture.paint(ui, rect),
        _ => false,
    };
    fill_around(
        ui,
        room,
        if showing { rect } else { Rect::from_min_max(room.min, room.min) },
        BLACK,
    );
    let words = match &view.snapshot.watch {
        WatchState::Playing if showing => None,
        // Sound alone, or the first picture is on its way.
        WatchState::Playing | WatchState::Opening => Some((
            Icon::Broadcast,
            texts.get("watch-opening").to_string(),
            texts.get("watch-opening-advice").to_string(),
            None,
        )),
        WatchState::Reconnecting { .. } if showing => None,
        WatchState::Reconnecting { cause } => Some((
            Icon::Refresh,
            texts.get("watch-reconnecting").to_string(),
            texts.with("watch-reconnecting-advice", &[("cause", cause.into())]),
            None,
        )),
        WatchState::Ended => Some((
            Icon::Stop,
            texts.get("watch-ended").to_string(),
            texts.get("watch-ended-advice").to_string(),
            None,
        )),
        WatchState::Failed { cause } => Some((
            Icon::Warning,
            texts.get("watch-failed").to_string(),
            format!("{cause} {}", texts.get("watch-failed-advice")),
            None,
        )),
        WatchState::Idle => Some((
            Icon::Play,
            texts.get("watch-empty").to_string(),
            texts.get("watch-empty-advice").to_string(),
            own.then(|| texts.get("watch-own")),
        )),
    };
    if let Some((icon, title, advice, button)) = words
        && slate(ui, room, icon, &title, &advice, button.as_deref())
    {
        let url = view.snapshot.server.play_url.clone();
        view.send(Command::Watch { url });
    }
    let mut top =
        ui.new_child(UiBuilder::new().max_rect(room.shrink(gap::L)).id_salt("watch-notices"));
    top.spacing_mut().item_spacing.y = gap::S;
    if let (true, WatchState::Reconnecting { cause }) = (showing, &view.snapshot.watch) {
        let title = texts.get("watch-reconnecting");
        let advice = texts.with("watch-reconnecting-advice", &[("cause", cause.into())]);
        notices::Card {
            level: crate::studio::Level::Warning,
            title: &title,
            advice: &advice,
            detail: "",
            button: None,
            dismissible: false,
        }
        .show(&mut top, view.theme, texts);
    }
    notices::cards(&mut top, view, Place::Watch, 2);
}

fn control_bar(ui: &mut Ui, view: &mut View<'_>, draft: &Draft, rect: Rect) -> bool {
    let (theme, texts) = (view.theme, view.texts);
    let watch = &view.snapshot.watch_figures;
    let mut row = ui.new_child(
        UiBuilder::new()
            .max_rect(rect)
            .layout(Layout::left_to_right(Align::Center))
            .id_salt("controls"),
    );
    let ui = &mut row;
    ui.spacing_mut().item_spacing.x = gap::S;
    let busy = is_busy(&view.snapshot.watch);
    let (icon, name) =
        if busy { (Icon::Stop, texts.get("stop")) } else { (Icon::Play, texts.get("play")) };
    if icon_button(ui, theme, icon, &name, size::CONTROL, Look::Quiet).clicked() {
        if busy { view.send(Command::StopWatching) } else { play(view, draft) }
    }
    let (icon, name) = if watch.muted {
        (Icon::SpeakerOff, texts.get("unmute-player"))
    } else {
        (Icon::Speaker, texts.get("mute-player"))
    };
    if icon_button(ui, theme, icon, &name, size::CONTROL, Look::Quiet).clicked() {
        view.send(Command::SetPlayerMuted(!watch.muted));
    }
    let mut volume = watch.volume;
    let name = texts.get("volume");
    if slider(ui, theme, &mut volume, 0.0..=1.0, 1.0, &name, 110.0).on_hover_text(&*name).changed()
    {
        view.send(Command::SetVolume(volume));
    }
    if view.snapshot.watch == WatchState::Playing {
        ui.add_space(gap::S);
        if let Some(latency) = watch.latency {
            label(ui, &texts.get("live-latency"), Type::Body, theme.secondary);
            let behind = format!("−{}", format::short_time(latency));
            label(ui, &behind, Type::BodyStrong, theme.text)
                .on_hover_text(&*texts.get("tip-latency"));
        } else {
            let time = format::clock(watch.playing_for);
            label(ui, &time, Type::BodyStrong, theme.text)
                .on_hover_text(&*texts.get("tip-playing-for"));
        }
    }
    let mut full = false;
    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
        let text = texts.get("full-screen");
        full = Button::new(&text)
            .icon(Icon::FullScreen)
            .look(Look::Quiet)
            .show(ui, theme)
            .on_hover_text(format!("{text} (F)"))
            .clicked();
    });
    full
}

fn side_panel(ui: &mut Ui, view: &mut View<'_>, draft: &Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let watch = &view.snapshot.watch_figures;
    ui.spacing_mut().item_spacing.y = gap::XS;
    section(ui, theme, &texts.get("stream"));
    ui.add_space(gap::XS);
    if !is_busy(&view.snapshot.watch) {
        paragraph(ui, &texts.get("watch-no-figures"), Type::Small, theme.secondary);
        return;
    }
    let dash = || "–".to_owned();
    let or_dash = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
    let picture = match watch.size {
        Some(size) => {
            let rate = if watch.fps > 0.0 { format!(" {:.0}", watch.fps) } else { String::new() };
            format!("{} {}{rate}", watch.video, format::size(size))
        }
        None => or_dash(&watch.video),
    };
    figures(
        ui,
        theme,
        &[
            (&texts.get("figure-picture"), picture, &texts.get("tip-figure-picture")),
            (&texts.get("figure-audio"), or_dash(&watch.audio), &texts.get("tip-figure-audio")),
            (
                &texts.get("bitrate"),
                format::bitrate(watch.bitrate),
                &texts.get("tip-watch-bitrate"),
            ),
            (
                &texts.get("figure-latency"),
                watch.latency.map_or_else(dash, format::short_time),
                &texts.get("tip-latency"),
            ),
            (
                &texts.get("figure-buffer"),
                format::short_time(watch.buffer),
                &texts.get("tip-buffer"),
            ),
            (
                &texts.get("figure-watch-dropped"),
                format!("{} · {}", format::grouped(watch.dropped), format::grouped(watch.late)),
                &texts.get("tip-watch-dropped"),
            ),
            (
                &texts.get("figure-lip-sync"),
                watch
                    .av_offset_ms
                    .map_or_else(dash, |ms| format!("{}\u{a0}ms", format::signed(ms, 0, true))),
                &texts.get("tip-lip-sync"),
            ),
            (
                &texts.get("figure-playing-for"),
                format::clock(watch.playing_for),
                &texts.get("tip-playing-for"),
            ),
        ],
    );
    ui.add_space(gap::M);
    let name = texts.get("buffer-minute");
    label(ui, &name, Type::Small, theme.secondary);
    let values: Vec<f32> = draft.buffer.iter().copied().collect();
    sparkline(ui, theme, &name, &values, 300.0, theme.good)
        .on_hover_text(&*texts.get("tip-buffer-minute"));
}

/// The picture alone on the whole screen.
pub fn full_screen(ui: &mut Ui, picture: &mut Picture, room: Rect, hint: &str) {
    ui.painter().rect_filled(room, CornerRadius::ZERO, Color32::BLACK);
    let rect = fitted(room, picture.shape(), ui.pixels_per_point());
    if !picture.paint(ui, rect) {
        let color = crate::ui::theme::ON_PICTURE_SECONDARY;
        place(ui, room.center(), Align2::CENTER_CENTER, hint, Type::Body, color);
    }
}

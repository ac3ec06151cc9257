//! The upper part of the right panel. Idle: where the stream goes, the key, the quality, what is
//! ready. On air: figures.

use std::time::Duration;

use egui::{Id, Ui, UiBuilder, vec2};
use zeroize::Zeroizing;

use crate::base::Secret;
use crate::capture::VideoChoice;
use crate::media::{BitsPerSecond, FrameRate, Size};
use crate::studio::snapshot::{LiveState, SourceState};
use crate::studio::{Command, Quality, Snapshot, TargetChoice};
use crate::ui::actions::key;
use crate::ui::format;
use crate::ui::icons::Icon;
use crate::ui::theme::{Type, gap};
use crate::ui::view::{View, Wish};
use crate::ui::widgets::{
    Field, Select, Tag, figures, label, menu_item, menu_rule, paragraph, section, slider, sparkline,
};

/// What is being typed about the target.
#[derive(Default)]
pub struct Draft {
    /// Whether the studio's target was taken over.
    known: bool,
    custom: bool,
    server: String,
    key: Zeroizing<String>,
    key_shown: bool,
    /// Somebody tried to go live without a usable address.
    complain: bool,
    focus_server: bool,
    copied_at: Option<f64>,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("custom", &self.custom).finish_non_exhaustive()
    }
}

/// The id of the server's field.
pub fn server_field() -> Id {
    Id::unique("target-server")
}

/// The id of the key's field.
pub fn key_field() -> Id {
    Id::unique("target-key")
}

impl Draft {
    /// Takes the studio's target over, once.
    pub fn learn(&mut self, snapshot: &Snapshot) {
        if self.known {
            return;
        }
        if let Some(target) = &snapshot.target {
            self.known = true;
            if let TargetChoice::Custom { server, key } = target {
                self.custom = true;
                self.server.clone_from(server);
                *self.key = key.expose().to_owned();
            }
        }
    }

    /// What stands in the way of going live, as a text's key.
    pub fn fault(&self) -> Option<&'static str> {
        if !self.custom {
            None
        } else if self.server.trim().is_empty() {
            Some(key!("server-missing"))
        } else if !is_address(&self.server) {
            Some(key!("server-wrong"))
        } else {
            None
        }
    }

    /// Points at what must be corrected.
    pub fn complain(&mut self) {
        self.complain = true;
        self.focus_server = true;
    }

    /// Puts the keyboard into the server's field.
    pub fn edit(&mut self) {
        self.custom = true;
        self.focus_server = true;
    }

    fn choice(&self) -> TargetChoice {
        if self.custom {
            TargetChoice::Custom {
                server: self.server.trim().to_owned(),
                key: Secret::new(self.key.trim()),
            }
        } else {
            TargetChoice::BuiltIn
        }
    }
}

/// Whether `text` can be the address of a server: a scheme we speak and a host.
fn is_address(text: &str) -> bool {
    let text = text.trim();
    let rest = text.strip_prefix("rtmp://").or_else(|| text.strip_prefix("rtmps://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        !host.is_empty() && !host.starts_with(':') && !host.contains(char::is_whitespace)
    })
}

/// The panel while nothing goes out.
pub fn idle(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let width = ui.available_width();
    let editable = view.snapshot.live == LiveState::Idle;
    ui.spacing_mut().item_spacing.y = gap::XS;
    section(ui, theme, &texts.get("target"));
    ui.add_space(gap::XS);
    let (built_in, custom) = (texts.get("target-builtin"), texts.get("target-custom"));
    let select = Select {
        name: &texts.get("target"),
        chosen: if draft.custom { &custom } else { &built_in },
        width,
        enabled: editable,
        close_on_click: true,
    };
    let mut chosen = None;
    select.show(ui, theme, |ui| {
        let second = texts.get("target-builtin-second");
        if menu_item(ui, theme, &built_in, &second, !draft.custom, true) {
            chosen = Some(false);
        }
        if menu_item(ui, theme, &custom, &texts.get("target-custom-second"), draft.custom, true) {
            chosen = Some(true);
        }
    });
    if let Some(custom) = chosen.filter(|custom| *custom != draft.custom) {
        draft.custom = custom;
        draft.complain = false;
        draft.focus_server = custom && draft.server.is_empty();
        view.send(Command::SetTarget(draft.choice()));
    }
    ui.add_space(gap::S);
    if draft.custom {
        ui.add_enabled_ui(editable, |ui| server_and_key(ui, view, draft, width));
    } else {
        address(ui, view, draft, width);
    }
    ui.add_space(gap::S);
    label(ui, &texts.get("quality"), Type::Small, theme.secondary);
    quality(ui, view, width);
    ui.add_space(gap::S);
    readiness(ui, view, draft);
}

fn server_and_key(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    label(ui, &texts.get("server"), Type::Small, theme.secondary);
    let fault = draft.fault().filter(|_| draft.complain);
    let server = Field {
        id: server_field(),
        text: &mut draft.server,
        name: &texts.get("server"),
        hint: &texts.get("server-hint"),
        hidden: false,
        wrong: fault.is_some(),
        limit: 2048,
        buttons: &[],
        width,
    }
    .show(ui, theme);
    if std::mem::take(&mut draft.focus_server) {
        server.response.request_focus();
    }
    if let Some(fault) = fault {
        paragraph(ui, &texts.get(fault), Type::Small, theme.warn);
    }
    ui.add_space(gap::S);
    label(ui, &texts.get("stream-key"), Type::Small, theme.secondary);
    let eye = if draft.key_shown {
        (Icon::EyeOff, texts.get("hide-key"))
    } else {
        (Icon::Eye, texts.get("show-key"))
    };
    let stream_key = Field {
        id: key_field(),
        text: &mut draft.key,
        name: &texts.get("stream-key"),
        hint: &texts.get("stream-key-hint"),
        hidden: !draft.key_shown,
        wrong: false,
        limit: 2048,
        buttons: &[(Icon::Paste, &texts.get("paste")), (eye.0, &eye.1)],
        width,
    }
    .show(ui, theme);
    match stream_key.pressed {
        Some(0) => {
            draft.key.clear();
            stream_key.response.request_focus();
            view.wish(Wish::Paste);
        }
        Some(_) => draft.key_shown = !draft.key_shown,
        None => {}
    }
    stream_key.response.clone().on_hover_text(&*texts.get("key-note"));
    if server.response.changed() || stream_key.response.changed() || stream_key.pressed == Some(0) {
        draft.complain &= draft.fault().is_some();
        view.send(Command::SetTarget(draft.choice()));
    }
    if server.response.lost_focus() && !draft.server.is_empty() {
        draft.complain = draft.fault().is_some();
    }
}

/// Where viewers of the built-in server look.
fn address(ui: &mut Ui, view: &View<'_>, draft: &mut Draft, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    label(ui, &texts.get("watch-at"), Type::Small, theme.secondary);
    let url = &view.snapshot.server.play_url;
    let mut text =
        if url.is_empty() { texts.get("server-starts").to_string() } else { url.clone() };
    let now = ui.input(|input| input.time);
    let copied = draft.copied_at.is_some_and(|at| now - at < 2.0);
    let button = if copied {
        (Icon::Check, texts.get("copied"))
    } else {
        (Icon::Copy, texts.get("copy-address"))
    };
    let buttons = [(button.0, &*button.1)];
    let field = Field {
        id: Id::unique("watch-at"),
        text: &mut text,
        name: &texts.get("watch-at"),
        hint: "",
        hidden: false,
        wrong: false,
        limit: 2048,
        buttons: if url.is_empty() { &[] } else { &buttons },
        width,
    }
    .show(ui, theme);
    if field.pressed.is_some() {
        ui.ctx().copy_text(url.clone());
        draft.copied_at = Some(now);
        ui.ctx().request_repaint_after(Duration::from_millis(2050));
    }
}

const fn fps(num: u32) -> FrameRate {
    match FrameRate::new(num, 1) {
        Some(rate) => rate,
        None => FrameRate::FPS_30,
    }
}

/// The usual choices.
const PRESETS: [(&str, &str, Size, FrameRate, u32); 4] = [
    (
        key!("quality-480p30"),
        key!("quality-480p30-second"),
        Size::new(854, 480),
        fps(30),
        1_200_000,
    ),
    (
        key!("quality-720p30"),
        key!("quality-720p30-second"),
        Size::new(1280, 720),
        fps(30),
        2_500_000,
    ),
    (
        key!("quality-720p60"),
        key!("quality-720p60-second"),
        Size::new(1280, 720),
        fps(60),
        4_500_000,
    ),
    (
        key!("quality-1080p30"),
        key!("quality-1080p30-second"),
        Size::new(1920, 1080),
        fps(30),
        4_500_000,
    ),
];

/// `720p · 30 fps · 2 500 kbps`.
pub fn quality_text(view: &View<'_>) -> String {
    let quality = &view.snapshot.quality;
    view.texts.with(
        "quality-line",
        &[
            ("size", format::size_name(quality.size).into()),
            ("rate", format::rate(quality.frame_rate).into()),
            ("bitrate", format::bitrate(quality.video_bitrate.0).into()),
        ],
    )
}

fn quality(ui: &mut Ui, view: &mut View<'_>, width: f32) {
    let (theme, texts) = (view.theme, view.texts);
    let now = view.snapshot.quality.clone();
    let idle = view.snapshot.live == LiveState::Idle;
    let mut wanted: Option<Quality> = None;
    let select = Select {
        name: &texts.get("quality"),
        chosen: &quality_text(view),
        width,
        enabled: true,
        close_on_click: false,
    };
    select.show(ui, theme, |ui| {
        for (title, second, size, frame_rate, bitrate) in PRESETS {
            let chosen = now.size == size && now.frame_rate == frame_rate;
            if menu_item(ui, theme, &texts.get(title), &texts.get(second), chosen, idle) {
                wanted = Some(Quality {
                    size,
                    frame_rate,
                    video_bitrate: BitsPerSecond(bitrate),
                    ..now.clone()
                });
            }
        }
        if !idle {
            egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
                paragraph(ui, &texts.get("quality-on-air"), Type::Small, theme.secondary);
            });
        }
        menu_rule(ui, theme);
        egui::Frame::new().inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            let mut kbps = now.video_bitrate.0 as f32 / 1000.0;
            figure_line(ui, view, &texts.get("bitrate"), &format::bitrate(now.video_bitrate.0));
            let width = ui.available_width();
            let name = texts.get("bitrate");
            let response = slider(ui, theme, &mut kbps, 300.0..=12_000.0, 2_500.0, &name, width);
            if response.changed() {
                let step = (kbps / 100.0).round().clamp(3.0, 120.0) as u32;
                wanted =
                    Some(Quality { video_bitrate: BitsPerSecond(step * 100_000), ..now.clone() });
            }
            response.on_hover_text(&*texts.get("tip-bitrate"));
            ui.add_space(gap::XS);
            ui.add_enabled_ui(idle, |ui| {
                ui.horizontal(|ui| {
                    let name = texts.get("keyframe-every");
                    label(ui, &name, Type::Figure, theme.secondary)
                        .on_hover_text(&*texts.get("tip-keyframe"));
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        ui.spacing_mut().item_spacing.x = gap::XS;
                        for seconds in [4_u64, 2, 1] {
                            let text =
                                texts.with("seconds", &[("count", seconds.to_string().into())]);
                            let every = Duration::from_secs(seconds);
                            let pressed = crate::ui::widgets::Button::new(&text)
                                .small()
                                .look(crate::ui::widgets::Look::Quiet)
                                .name(&format!("{name} {text}"))
                                .enabled(idle)
                                .selected(now.keyframe_interval == every)
                                .show(ui, theme)
                                .clicked();
                            if pressed {
                                wanted = Some(Quality { keyframe_interval: every, ..now.clone() });
                            }
                        }
                    });
                });
            });
        });
    });
    if let Some(quality) = wanted {
        view.send(Command::SetQuality(quality));
    }
}

fn figure_line(ui: &mut Ui, view: &View<'_>, name: &str, value: &str) {
    ui.horizontal(|ui| {
        label(ui, name, Type::Figure, view.theme.secondary);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            label(ui, value, Type::FigureStrong, view.theme.text);
        });
    });
}

fn readiness(ui: &mut Ui, view: &View<'_>, draft: &Draft) {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let picture = snapshot
        .video
        .as_ref()
        .is_some_and(|video| video.state == SourceState::Open || video.choice == VideoChoice::None);
    let sound = snapshot.audio.as_ref().is_some_and(|audio| audio.state == SourceState::Open);
    let server = if draft.custom {
        draft.fault().is_none()
    } else {
        !snapshot.server.rtmp.is_empty() || !snapshot.server.play_url.is_empty()
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
        let mut chip = |text: &'static str, good: bool, yes: &'static str, no: &'static str| {
            let tip = texts.get(if good { yes } else { no });
            Tag { text: &texts.get(text), good }.show(ui, theme).on_hover_text(&*tip);
        };
        chip(key!("ready-camera"), picture, key!("tip-ready-camera"), key!("tip-not-ready-camera"));
        chip(key!("ready-sound"), sound, key!("tip-ready-sound"), key!("tip-not-ready-sound"));
        chip(key!("ready-server"), server, key!("tip-ready-server"), key!("tip-not-ready-server"));
        if draft.custom {
            let stream_key = !draft.key.trim().is_empty();
            chip(key!("ready-key"), stream_key, key!("tip-ready-key"), key!("tip-not-ready-key"));
        }
    });
}

/// The panel while a broadcast is on.
pub fn on_air(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts, snapshot) = (view.theme, view.texts, view.snapshot);
    let width = ui.available_width();
    let live = &snapshot.figures;
    ui.spacing_mut().item_spacing.y = gap::XS;
    section(ui, theme, &texts.get("target"));
    ui.add_space(gap::XS);
    if draft.custom {
        let mut server = draft.server.clone();
        let name = texts.get("server");
        let field = Field {
            id: Id::unique("target-on-air"),
            text: &mut server,
            name: &name,
            hint: "",
            hidden: false,
            wrong: false,
            limit: 2048,
            buttons: &[],
            width,
        };
        ui.add_enabled_ui(false, |ui| field.show(ui, theme));
    } else {
        address(ui, view, draft, width);
    }
    ui.add_space(gap::S);
    label(ui, &texts.get("bitrate-minute"), Type::Small, theme.secondary);
    let history: Vec<f32> = live.bitrate_history.iter().map(|rate| *rate as f32).collect();
    let chosen = (snapshot.quality.video_bitrate.0 + snapshot.quality.audio_bitrate.0) as f32;
    sparkline(ui, theme, &texts.get("bitrate-minute"), &history, chosen, theme.accent)
        .on_hover_text(&*texts.get("tip-sparkline"));
    ui.add_space(gap::XS);
    let share = 100.0 * live.dropped_frames as f64 / (live.total_frames as f64).max(1.0);
    let rate = |value: f64| texts.with("fps", &[("value", format!("{value:.1}").into())]);
    let dash = || "–".to_owned();
    figures(
        ui,
        theme,
        &[
            (
                &texts.get("figure-bitrate"),
                format::bitrate(live.bitrate),
                &texts.get("tip-bitrate"),
            ),
            (&texts.get("figure-frames"), rate(live.fps), &texts.get("tip-frames")),
            (
                &texts.get("figure-dropped"),
                format!("{} ({share:.1}\u{a0}%)", format::grouped(live.dropped_frames)),
                &texts.get("tip-dropped"),
            ),
            (&texts.get("figure-queue"), format::short_time(live.queued), &texts.get("tip-queue")),
            (
                &texts.get("figure-round-trip"),
                live.round_trip.map_or_else(dash, format::short_time),
                &texts.get("tip-round-trip"),
            ),
            (
                &texts.get("figure-reconnects"),
                live.reconnects.to_string(),
                &texts.get("tip-reconnects"),
            ),
            (&texts.get("figure-sent"), format::bytes(live.sent_bytes), &texts.get("tip-sent")),
        ],
    );
    ui.add_space(gap::S);
    label(ui, &texts.get("figure-quality"), Type::Small, theme.secondary);
    quality(ui, view, width);
}

/// A child of `ui` in `rect`, top down.
pub fn child(ui: &mut Ui, rect: egui::Rect, salt: &str) -> Ui {
    ui.new_child(
        UiBuilder::new()
            .max_rect(rect)
            .layout(egui::Layout::top_down(egui::Align::Min))
            .id_salt(salt),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for good in [
            "rtmp://a",
            "rtmp://live.example.com/app",
            " rtmps://live.example.com:443/live2 ",
            "rtmp://[::1]:1935/live",
        ] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "live.example.com",
            "http://a/b",
            "rtmp://",
            "rtmp:///app",
            "rtmp://:1935/a",
            "rtmp://a b/c",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn the_key_is_not_printed() {
        let mut draft = Draft::default();
        draft.key.push_str("live_secret");
        assert!(!format!("{draft:?}").contains("secret"));
    }
}

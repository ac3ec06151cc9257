//! Options that are changed rarely, behind two buttons: one for the audio, the other for the frame
//! and the buffer.

use std::time::Duration;

use egui::Ui;

use crate::media::Rotation;
use crate::player::{MAX_AV_OFFSET_MS, Prefer};
use crate::studio::WatchCommand;
use crate::studio::watch::viewport::{Aspect, ZOOM_RANGE};
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::style::theme::{Type, gap};
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::watch::commands::send;
use crate::ui::watch::controls::button::control;
use crate::ui::watch::draft::Draft;
use crate::ui::watch::viewport::{Viewport, key_of};
use crate::ui::widgets::{
    self, Button, label, menu_item, paragraph, popup, scrolled, section, slider,
};

/// The width of a popup with options.
pub(in crate::ui::watch) const POPUP_WIDTH_POINTS: f32 = 300.0;

/// The buffer lengths to choose from, in ms; 0 means as short as the network allows.
pub const BUFFER_CHOICES_MS: [u64; 8] = [0, 100, 300, 500, 1_000, 2_000, 5_000, 10_000];

/// Draws the options for balance, audio offset and speaker.
pub fn audio_options(ui: &mut Ui, view: &mut View<'_>, words: &str) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("audio-options");
    let button = control(Icon::Note, words, &name).show(ui, theme).on_hover_text(&*name);
    popup(&button, theme, POPUP_WIDTH_POINTS, |ui| {
        let choices = view.snapshot.player.clone();
        let balance = texts.get("balance");
        section(ui, theme, &balance);
        let mut value = choices.balance;
        ui.horizontal(|ui| {
            if slider(ui, theme, &mut value, -1.0..=1.0, 0.0, &balance, 210.0).changed() {
                let value = if value.abs() < 0.03 { 0.0 } else { value };
                send(view, WatchCommand::SetBalance(value));
            }
            let percent = format::signed(f64::from(choices.balance) * 100.0, 0, true);
            label(ui, &format!("{percent}\u{a0}%"), Type::FigureStrong, theme.text);
        });
        let offset = texts.get("av-offset");
        section(ui, theme, &offset).on_hover_text(&*texts.get("tip-av-offset"));
        let most = MAX_AV_OFFSET_MS as f32 / 1_000.0;
        let mut value = choices.av_offset_ms as f32 / 1_000.0;
        ui.horizontal(|ui| {
            let response = slider(ui, theme, &mut value, -most..=most, 0.0, &offset, 210.0);
            if response.on_hover_text(&*texts.get("tip-av-offset")).changed() {
                let millis = (value * 100.0).round() as i32 * 10;
                send(view, WatchCommand::SetAvOffset(millis));
            }
            let millis = format::signed(f64::from(choices.av_offset_ms), 0, true);
            label(ui, &format!("{millis}\u{a0}ms"), Type::FigureStrong, theme.text);
        });
        section(ui, theme, &texts.get("speaker"));
        let own = choices.speaker.clone();
        let system = texts.get("speaker-default");
        scrolled(ui, "speakers", |ui| {
            if menu_item(ui, theme, &system, "", own.is_none(), true) {
                send(view, WatchCommand::SetSpeaker(None));
            }
            for speaker in &view.snapshot.speakers {
                let chosen = own.as_deref() == Some(speaker.id.as_str());
                if menu_item(ui, theme, &speaker.name, "", chosen, true) {
                    send(view, WatchCommand::SetSpeaker(Some(speaker.id.clone())));
                }
            }
        });
    });
}

/// Shows whether the graphics hardware can decode with the system's libraries, or why it cannot.
/// onair probes the hardware only when a user opens this popup.
fn hardware(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft) {
    let (theme, texts) = (view.theme, view.texts);
    let text = match &view.snapshot.hardware {
        Some(Ok(name)) => texts.with("hardware-there", &[("hardware", (*name).into())]),
        Some(Err(why)) => texts.with("hardware-none", &[("reason", texts.say(why).into())]),
        None => {
            if !std::mem::replace(&mut draft.asked_hardware, true) {
                send(view, WatchCommand::ProbeHardware);
            }
            texts.get("hardware-searching").to_string()
        }
    };
    paragraph(ui, &text, Type::Small, theme.secondary);
}

/// Returns the name of a buffer length.
fn buffer_name(view: &View<'_>, millis: u64) -> String {
    match millis {
        0 => view.texts.get("buffer-auto").to_string(),
        1..1_000 => format!("{millis}\u{a0}ms"),
        _ => format!("{}\u{a0}s", millis / 1_000),
    }
}

/// Draws the options for buffer, aspect ratio, zoom and rotation.
pub fn view(ui: &mut Ui, view: &mut View<'_>, draft: &mut Draft, words: &str) {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("video-options");
    let button = control(Icon::Settings, words, &name).show(ui, theme).on_hover_text(&*name);
    popup(&button, theme, POPUP_WIDTH_POINTS, |ui| {
        section(ui, theme, &texts.get("buffer-target"))
            .on_hover_text(&*texts.get("tip-buffer-target"));
        let now = view.snapshot.player.buffer.map_or(0, |buffer| buffer.as_millis());
        ui.horizontal_wrapped(|ui| {
            for millis in BUFFER_CHOICES_MS {
                let text = buffer_name(view, millis);
                let name = texts.with("buffer-choice", &[("time", text.as_str().into())]);
                let on = u128::from(millis) == now;
                let button = Button::new(&text).name(&name).small().selected(on);
                if button.weight(widgets::ButtonWeight::Quiet).show(ui, theme).clicked() {
                    let buffer = (millis > 0).then(|| Duration::from_millis(millis));
                    send(view, WatchCommand::SetBuffer(buffer));
                }
            }
        });
        if view.snapshot.decoders {
            section(ui, theme, &texts.get("decoder")).on_hover_text(&*texts.get("tip-decoder"));
            ui.horizontal_wrapped(|ui| {
                for (prefer, key) in
                    [(Prefer::Own, key!("decoder-own")), (Prefer::System, key!("decoder-system"))]
                {
                    let on = view.snapshot.player.decoder == prefer;
                    let text = texts.get(key);
                    let button = Button::new(&text).small().selected(on);
                    if button.weight(widgets::ButtonWeight::Quiet).show(ui, theme).clicked() {
                        send(view, WatchCommand::SetDecoder(prefer));
                    }
                }
            });
        }
        hardware(ui, view, draft);
        section(ui, theme, &texts.get("aspect"));
        ui.horizontal_wrapped(|ui| {
            for aspect in Aspect::ALL {
                let text = texts.get(key_of(aspect));
                let button = Button::new(&text).small().selected(draft.viewport.aspect == aspect);
                if button.weight(widgets::ButtonWeight::Quiet).show(ui, theme).clicked() {
                    draft.viewport.aspect = aspect;
                }
            }
        });
        let zoom = texts.get("zoom");
        section(ui, theme, &zoom);
        ui.horizontal(|ui| {
            if slider(ui, theme, &mut draft.viewport.zoom, ZOOM_RANGE, 1.0, &zoom, 210.0).changed()
            {
                draft.viewport.zoom_by(1.0);
            }
            let percent = format!("{:.0}\u{a0}%", draft.viewport.zoom * 100.0);
            label(ui, &percent, Type::FigureStrong, theme.text);
        });
        section(ui, theme, &texts.get("rotate"));
        ui.horizontal(|ui| {
            for turn in Rotation::ALL {
                let text = format!("{}°", turn.degrees());
                let name =
                    texts.with("rotated-by", &[("degrees", turn.degrees().to_string().into())]);
                let button = Button::new(&text).name(&name).small();
                let button = button.selected(draft.viewport.turn == turn);
                if button.weight(widgets::ButtonWeight::Quiet).show(ui, theme).clicked() {
                    draft.viewport.turn = turn;
                }
            }
        });
        ui.add_space(gap::XS);
        let plain = draft.viewport == Viewport::default();
        let reset = texts.get("view-reset");
        if Button::new(&reset).small().enabled(!plain).show(ui, theme).clicked() {
            draft.viewport = Viewport::default();
        }
    });
}

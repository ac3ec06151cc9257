//! The choice of a target's audio: the program's audio, or an audio track in its place, and further
//! tracks and renditions.

use egui::Ui;

use crate::media::{ExtraTrack, ExtraTracks};
use crate::studio::live::recording::audio_tracks;
use crate::studio::{Command, Snapshot, Target};
use crate::ui::input::actions::key;
use crate::ui::style::theme::Type;
use crate::ui::targets::Draft;
use crate::ui::targets::media::renditions;
use crate::ui::text::Texts;
use crate::ui::view::View;
use crate::ui::widgets::{Select, label, menu_item, named_switch};

/// Draws the choice of a target's audio, if there is more than the program's audio. A target that
/// is `running` reconnects with the new audio.
pub(in crate::ui::targets) fn show(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &Draft,
    target: &Target,
    running: bool,
    width: f32,
) {
    let title = view.texts.get("target-mix");
    let tip = if running { key!("target-mix-running-tip") } else { key!("target-mix-tip") };
    let tip = view.texts.get(tip);
    let mix = choice(ui, view, (&title, &tip), target.mix, width);
    let mut changed = mix.map(|mix| Target { mix, ..draft.put(target) });
    // Other protocols carry one audio track.
    if target.is_built_in() || target.server().starts_with("rtmp") {
        let tracks = further_tracks(ui, view, target);
        changed = changed.or(tracks.map(|tracks| Target { tracks, ..draft.put(target) }));
        // Only the program of the main canvas has further renditions.
        let renditions = (!target.second_canvas).then(|| renditions::show(ui, view, target));
        let renditions = renditions.flatten();
        changed =
            changed.or(renditions.map(|renditions| Target { renditions, ..draft.put(target) }));
    }
    if let Some(target) = changed {
        view.send(match running {
            true => Command::RestartTarget(target),
            false => Command::PutTarget(target),
        });
    }
}

/// Draws a switch for each further track in use, and returns the new choice.
fn further_tracks(ui: &mut Ui, view: &View<'_>, target: &Target) -> Option<ExtraTracks> {
    let (theme, texts) = (view.theme, view.texts);
    let used = used(view.snapshot).and(target.tracks);
    let mut offered = used.iter().filter(|track| Some(*track) != target.mix).peekable();
    offered.peek()?;
    let title = texts.get("target-tracks");
    label(ui, &title, Type::Small, theme.secondary).on_hover_text(&*texts.get("target-tracks-tip"));
    let mut changed = None;
    for track in offered {
        let is_sent = target.tracks.has(track);
        let name = called(texts, view.snapshot, Some(track));
        if named_switch(ui, theme, &name, "", Type::Body, is_sent) {
            changed = Some(target.tracks.with(track, !is_sent));
        }
    }
    changed
}

/// Returns the tracks that have strips.
fn used(snapshot: &Snapshot) -> ExtraTracks {
    audio_tracks::used(snapshot.strips.iter().map(|it| &it.audio))
}

/// Draws a choice of the program and the tracks in use, and returns the new choice. Nothing is
/// drawn if there is nothing to choose.
pub(in crate::ui) fn choice(
    ui: &mut Ui,
    view: &View<'_>,
    (title, tip): (&str, &str),
    chosen: Option<ExtraTrack>,
    width: f32,
) -> Option<Option<ExtraTrack>> {
    let (theme, texts) = (view.theme, view.texts);
    let tracks = used(view.snapshot).and(chosen.into_iter().collect());
    if tracks.is_empty() {
        return None;
    }
    label(ui, title, Type::Small, theme.secondary).on_hover_text(tip);
    let name = |mix| called(texts, view.snapshot, mix);
    let mut wanted = None;
    Select::new(title, &name(chosen), width).show(ui, theme, |ui| {
        for mix in std::iter::once(None).chain(tracks.iter().map(Some)) {
            if menu_item(ui, theme, &name(mix), "", mix == chosen, true) && mix != chosen {
                wanted = Some(mix);
            }
        }
    });
    wanted
}

/// Returns the name of an audio choice: `Program`, or the number and name of a track.
fn called(texts: &Texts, snapshot: &Snapshot, mix: Option<ExtraTrack>) -> String {
    let Some(track) = mix else { return texts.get("track-program").to_string() };
    let name = snapshot.track_names.get(track.place() + 1).filter(|name| !name.is_empty());
    let number = texts.with("track-number", &[("number", track.to_string().into())]);
    name.map_or_else(|| number.clone(), |name| format!("{track} · {name}"))
}

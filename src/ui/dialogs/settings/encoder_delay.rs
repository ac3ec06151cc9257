//! B-frames and look-ahead on the page *Output*: what makes the video encoder wait for later frames.

use egui::Ui;

use crate::encode::{self, video};
use crate::studio::{Command, Quality};
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::row::choice_row;
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::key;
use crate::ui::view::View;

/// The numbers of frames to look ahead that the window offers. Others can be set in the settings
/// file and on the command line.
const LOOK_AHEAD_CHOICES: [u8; 5] = [0, 10, 20, 40, 60];

/// Returns the reason why the chosen encoder waits for no frames, if it does not. `most` returns the
/// number of frames for which an encoder waits.
fn why_not(view: &View<'_>, most: fn(encode::Choice) -> u8) -> Option<String> {
    let quality = &view.snapshot.quality;
    let encoder = quality.encoder.for_codec(quality.video_codec);
    (most(encoder) == 0).then(|| view.texts.get("encoder-at-once").to_string())
}

/// Draws the choice of the number of B-frames.
pub(super) fn b_frames(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let quality = view.snapshot.quality.clone();
    let why_not = why_not(view, encode::Choice::max_b_frames);
    let all: Vec<_> = (0..=video::Config::MAX_B_FRAMES)
        .map(|number| match number {
            0 => (0, view.texts.get("b-frames-none").to_string(), None),
            _ => (number, number.to_string(), why_not.clone()),
        })
        .collect();
    let both = (quality.b_frames, Quality::default().b_frames);
    if let Some(b_frames) = choice_row(ui, view, draft, Setting::BFrames, both, &all) {
        view.send(Command::SetQuality(Quality { b_frames, ..quality }));
    }
}

/// Draws the choice of the look-ahead, each with the delay that it means.
pub(super) fn look_ahead(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let quality = view.snapshot.quality.clone();
    let why_not = why_not(view, encode::Choice::max_look_ahead);
    let mut numbers = LOOK_AHEAD_CHOICES.to_vec();
    if !numbers.contains(&quality.look_ahead) {
        numbers.push(quality.look_ahead);
        numbers.sort_unstable();
    }
    let all: Vec<_> = numbers
        .into_iter()
        .map(|number| {
            if number == 0 {
                return (0, view.texts.get("look-ahead-none").to_string(), None);
            }
            let seconds = f64::from(number) / quality.frame_rate.as_f64();
            let args = [
                ("frames", number.to_string().into()),
                ("seconds", format!("{seconds:.1}").into()),
            ];
            let name = view.texts.with(key!("look-ahead-frames"), &args);
            (number, name, why_not.clone())
        })
        .collect();
    let both = (quality.look_ahead, Quality::default().look_ahead);
    if let Some(look_ahead) = choice_row(ui, view, draft, Setting::LookAhead, both, &all) {
        view.send(Command::SetQuality(Quality { look_ahead, ..quality }));
    }
}

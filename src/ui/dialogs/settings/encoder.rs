//! The video encoder on the page *Output*: its codec, which one, how fast, and how it spends bits.

use egui::Ui;

use crate::encode::{self, Aim, CodecChoice, Preset, RateControl, Selection, video};
use crate::studio::{Command, Quality};
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::row::{Choice, choice_row, row};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::key;
use crate::ui::view::View;
use crate::ui::widgets::Button;

/// The qualities of constant quality that the window offers, the best first. Others can be set in
/// the settings file and on the command line.
const CRF_CHOICES: [u8; 5] = [18, 20, 23, 26, 29];

/// The numbers of frames to look ahead that the window offers. Others can be set in the settings
/// file and on the command line.
const LOOK_AHEAD_CHOICES: [u8; 5] = [0, 10, 20, 40, 60];

/// The height of a button with two lines.
const AIM_HEIGHT: f32 = 48.0;

/// Draws a button for each aim, with the encoder that it means on this computer.
pub(super) fn aim(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let aims = [
        (Aim::BestQuality, key!("aim-quality")),
        (Aim::LeastCpu, key!("aim-cpu")),
        (Aim::WidestReach, key!("aim-reach")),
    ];
    let quality = view.snapshot.quality.clone();
    let mut wanted = None;
    row(ui, view, draft, Setting::Aim, None, |ui, _| {
        for (aim, title) in aims {
            let known = view.snapshot.encoders;
            let Selection { encoder, preset, speed } =
                encode::select(known, aim, quality.size, quality.frame_rate);
            let title = view.texts.get(title);
            let name = match preset {
                Preset::Auto => encoder.name().to_owned(),
                Preset::Named(preset) => format!("{} {preset}", encoder.name()),
            };
            let second = match speed {
                Some(speed) => {
                    let speed = format!("{speed:.0}");
                    let args = [("encoder", name.into()), ("fps", speed.into())];
                    view.texts.with(key!("aim-measured"), &args)
                }
                None => name,
            };
            let chosen = Quality {
                video_codec: CodecChoice::Auto,
                encoder,
                preset,
                rate_control: RateControl::Cbr,
                b_frames: 0,
                look_ahead: 0,
                ..quality.clone()
            };
            let button = Button::new(&title).second(&second).selected(chosen == quality);
            let width = ui.available_width();
            if button.width(width).height(AIM_HEIGHT).leading().show(ui, view.theme).clicked() {
                wanted = Some(chosen);
            }
        }
    });
    if let Some(quality) = wanted {
        view.send(Command::SetQuality(quality));
    }
}

/// Draws the choice of the codec. Another codec than that of the chosen encoder takes this choice
/// back.
pub(super) fn codec(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let name = |choice| match choice {
        CodecChoice::Auto => key!("settings-encoder-auto"),
        CodecChoice::H264 => key!("codec-h264"),
        CodecChoice::Hevc => key!("codec-hevc"),
        CodecChoice::Av1 => key!("codec-av1"),
    };
    let all = CodecChoice::ALL.map(|choice| {
        let encoder = encode::Choice::Auto.for_codec(choice);
        let known = view.snapshot.encoders.iter().find(|it| it.choice == Some(encoder));
        let why_not = known.and_then(|it| it.unavailable.as_ref());
        let why_not = why_not.map(|error| view.texts.say_with_cure(&error.into()));
        (choice, view.texts.get(name(choice)).to_string(), why_not)
    });
    let quality = view.snapshot.quality.clone();
    let both = (quality.video_codec, Quality::default().video_codec);
    if let Some(video_codec) = choice_row(ui, view, draft, Setting::Codec, both, &all) {
        let usual = Quality::default();
        let chosen = Quality { video_codec, ..quality };
        view.send(Command::SetQuality(match video_codec.fits(chosen.encoder) {
            true => chosen,
            false => {
                let Quality { encoder, preset, rate_control, b_frames, look_ahead, .. } = usual;
                Quality { encoder, preset, rate_control, b_frames, look_ahead, ..chosen }
            }
        }));
    }
}

/// Draws the choice of the video encoder for the next broadcast, with the reason for each encoder
/// that cannot be opened.
pub(super) fn encoder(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let best = view.texts.get("settings-encoder-auto");
    let all: Vec<Choice<encode::Choice>> = encode::Choice::ALL
        .into_iter()
        .map(|choice| {
            let known = view.snapshot.encoders.iter().find(|it| it.choice == Some(choice));
            let why_not = known.and_then(|it| it.unavailable.as_ref());
            let why_not = why_not.map(|error| view.texts.say_with_cure(&error.into()));
            let codec = choice.codec().filter(|_| !view.snapshot.quality.video_codec.fits(choice));
            let other = codec.map(|codec| {
                let args = [("codec", codec.name().into())];
                view.texts.with(key!("encoder-other-codec"), &args)
            });
            let why_not = why_not.or(other);
            let auto = choice == encode::Choice::Auto;
            (choice, if auto { best.to_string() } else { choice.name().to_owned() }, why_not)
        })
        .collect();
    let quality = view.snapshot.quality.clone();
    let both = (quality.encoder, Quality::default().encoder);
    if let Some(encoder) = choice_row(ui, view, draft, Setting::Encoder, both, &all) {
        // The presets of another encoder have other names, and it may offer no B-frames.
        let Quality { preset, rate_control, b_frames, look_ahead, .. } = Quality::default();
        let chosen = Quality { encoder, preset, rate_control, b_frames, look_ahead, ..quality };
        view.send(Command::SetQuality(chosen));
    }
}

/// Draws the choice of the encoder's preset, each with what it means.
pub(super) fn preset(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let quality = view.snapshot.quality.clone();
    let encoder = quality.encoder.for_codec(quality.video_codec);
    let presets = encoder.presets();
    let why_not = presets.is_empty().then(|| view.texts.get("preset-none").to_string());
    let text = |key, name: &str| view.texts.with(key, &[("name", name.to_owned().into())]);
    let usual = encoder.usual_preset();
    let auto = match usual {
        Some(usual) => text(key!("preset-auto"), usual),
        None => view.texts.get("settings-encoder-auto").to_string(),
    };
    let mut all = vec![(Preset::Auto, auto, why_not)];
    // The presets are ordered by speed.
    all.extend(presets.iter().enumerate().map(|(place, name)| {
        let key = match place * 4 / presets.len() {
            0 => key!("preset-light"),
            1 => key!("preset-balanced"),
            2 => key!("preset-fine"),
            _ => key!("preset-finest"),
        };
        (Preset::Named(name), text(key, name), None)
    }));
    let both = (quality.preset, Quality::default().preset);
    if let Some(preset) = choice_row(ui, view, draft, Setting::EncoderPreset, both, &all) {
        view.send(Command::SetQuality(Quality { preset, ..quality }));
    }
}

/// Draws the choice of the rate control.
pub(super) fn rate_control(ui: &mut Ui, view: &mut View<'_>, draft: &mut SettingsDraft) {
    let quality = view.snapshot.quality.clone();
    let is_fixed = quality.encoder.for_codec(quality.video_codec).presets().is_empty();
    let why_not = || is_fixed.then(|| view.texts.get("rate-control-none").to_string());
    let text = |key| view.texts.get(key).to_string();
    let mut all = vec![
        (RateControl::Cbr, text(key!("rate-control-cbr")), None),
        (RateControl::Vbr, text(key!("rate-control-vbr")), why_not()),
    ];
    let mut numbers = CRF_CHOICES.to_vec();
    if let RateControl::Cq(chosen) = quality.rate_control {
        let args = [("number", chosen.to_string().into())];
        let name = view.texts.with(key!("rate-control-cq"), &args);
        all.push((quality.rate_control, name, why_not()));
    }
    if let RateControl::Crf(chosen) = quality.rate_control
        && !numbers.contains(&chosen)
    {
        numbers.push(chosen);
        numbers.sort_unstable();
    }
    all.extend(numbers.into_iter().map(|number| {
        let args = [("number", number.to_string().into())];
        let name = view.texts.with(key!("rate-control-crf"), &args);
        (RateControl::Crf(number), name, why_not())
    }));
    let both = (quality.rate_control, Quality::default().rate_control);
    if let Some(rate_control) = choice_row(ui, view, draft, Setting::RateControl, both, &all) {
        view.send(Command::SetQuality(Quality { rate_control, ..quality }));
    }
}

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

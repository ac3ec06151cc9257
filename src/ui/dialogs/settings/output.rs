//! The page *Output*: how the program is encoded and sent. Each setting shows its usual value.

use std::time::Duration;

use egui::{Align, Layout, Ui};

use crate::encode::{AudioCodecChoice, AudioProfile};
use crate::media::BitsPerSecond;
use crate::studio::live::view::LiveState;
use crate::studio::{Adapt, Command, DelayFigures, DelayState, Quality};
use crate::ui::dialogs::card::DialogContext;
use crate::ui::dialogs::settings::draft::SettingsDraft;
use crate::ui::dialogs::settings::row::wide_row;
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::input::actions::key;
use crate::ui::style::theme::{Type, gap};
use crate::ui::targets::limits;
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Button, label, named_switch, paragraph, whole_slider};

/// The usual delays in seconds, in order. Other delays can be set in the settings file and on the
/// command line.
const DELAY_CHOICES_SECONDS: [u64; 7] = [0, 10, 30, 120, 300, 900, 1_800];
/// The minimum bitrate of the audio encoder in kbit/s.
const MIN_AUDIO_KBPS: f32 = 32.0;
const MAX_AUDIO_KBPS: f32 = 320.0;
/// The maximum bitrate in kbit/s that AAC allows in one channel at 44.1 kHz.
const MAX_MONO_KBPS: f32 = 256.0;
const AUDIO_KBPS_STEP: f32 = 16.0;

/// Sends the chosen quality.
fn send(view: &mut View<'_>, wanted: Option<Quality>) {
    if let Some(quality) = wanted {
        view.send(Command::SetQuality(quality));
    }
}

/// Draws a setting that cannot be changed on air or during a recording. The first of these settings
/// has a note about this.
fn off_air(
    ui: &mut Ui,
    view: &mut View<'_>,
    draft: &mut SettingsDraft,
    contents: impl FnOnce(&mut Ui, &View<'_>, &Quality) -> Option<Quality>,
) {
    let idle = !view.snapshot.is_live_or_recording();
    if !idle && !std::mem::replace(&mut draft.explained, true) {
        paragraph(ui, &view.texts.get("output-on-air"), Type::Small, view.theme.secondary);
    }
    let now = view.snapshot.quality.clone();
    let wanted = ui.add_enabled_ui(idle, |ui| contents(ui, view, &now)).inner;
    send(view, wanted);
}

/// Draws the name of a setting, and at the end of the line its default value.
fn named(ui: &mut Ui, view: &View<'_>, name: &str, tip: &'static str, usual: &str) {
    ui.add_space(gap::S);
    let (theme, texts) = (view.theme, view.texts);
    ui.horizontal(|ui| {
        let response = label(ui, name, Type::BodyStrong, theme.text);
        if !tip.is_empty() {
            response.on_hover_text(&*texts.get(tip));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let usual = texts.with("output-usual", &[("value", usual.to_owned().into())]);
            label(ui, &usual, Type::Small, theme.secondary);
        });
    });
}

/// Draws a few options side by side, and after them the usual one, if it is not shown elsewhere.
/// Returns the option that was pressed.
fn one_of<T: Copy + PartialEq>(
    ui: &mut Ui,
    view: &View<'_>,
    name: &str,
    all: &[(T, String)],
    chosen: T,
    usual: Option<T>,
) -> Option<T> {
    let mut pressed = None;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(gap::XS, gap::XS);
        for (one, text) in all {
            let of_it = format!("{name} {text}");
            let enabled = ui.is_enabled();
            let button = Button::new(text).small().name(&of_it).enabled(enabled);
            if button.selected(*one == chosen).show(ui, view.theme).clicked() {
                pressed = Some(*one);
            }
        }
        if let Some((_, text)) = all.iter().find(|(one, _)| Some(*one) == usual) {
            ui.add_space(gap::S);
            let usual = view.texts.with("output-usual", &[("value", text.clone().into())]);
            // A Chinese text may break anywhere, and would continue below the buttons.
            let usual = egui::RichText::new(&*usual).font(Type::Small.font());
            let usual = egui::Label::new(usual.color(view.theme.secondary));
            ui.add(usual.extend().selectable(false));
        }
    });
    pressed
}

/// Draws a slider with its value in kbit/s. Returns the new value in whole steps.
fn kilobits(
    ui: &mut Ui,
    view: &View<'_>,
    name: &str,
    now: BitsPerSecond,
    (range, rest, step): (std::ops::RangeInclusive<f32>, f32, f32),
) -> Option<BitsPerSecond> {
    let mut kbps = now.0 as f32 / 1_000.0;
    let moved = ui.horizontal(|ui| {
        let width = ui.available_width() - 90.0;
        let moved =
            whole_slider(ui, view.theme, &mut kbps, (range, step), rest, name, width).changed();
        label(ui, &format::bitrate(now.0), Type::FigureStrong, view.theme.text);
        moved.then_some(kbps as u32)
    });
    moved.inner.filter(|_| ui.is_enabled()).map(|kbps| BitsPerSecond(kbps * 1_000))
}

/// Draws the choice of the connection that the bitrate follows, and the minimum bitrate.
pub(super) fn adaptation(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let (now, usual) = (view.snapshot.quality.clone(), Quality::default());
    let of = |it: &Quality| (it.adapt, it.least_bitrate, it.adapt_frames, it.adapt_size);
    let name = view.texts.get("adapt-slowest");
    let default = (of(&now) != of(&usual)).then_some(&*name);
    let reset = wide_row(ui, view, needs, Setting::Adaptation, default, |ui, view, _| {
        let wanted = adapted(ui, view, &now);
        send(view, wanted);
    });
    if reset {
        let (adapt, least_bitrate, adapt_frames, adapt_size) = of(&usual);
        let quality = Quality { adapt, least_bitrate, adapt_frames, adapt_size, ..now };
        view.send(Command::SetQuality(quality));
    }
}

fn adapted(ui: &mut Ui, view: &View<'_>, now: &Quality) -> Option<Quality> {
    let (theme, texts) = (view.theme, view.texts);
    let name = texts.get("adapt");
    let all = [
        (Adapt::Slowest, key!("adapt-slowest")),
        (Adapt::First, key!("adapt-first")),
        (Adapt::SecondRendition, key!("adapt-rendition")),
        (Adapt::Off, key!("adapt-off")),
    ]
    .map(|(adapt, text)| (adapt, texts.get(text).to_string()));
    let chosen = one_of(ui, view, &name, &all, now.adapt, Some(Quality::default().adapt));
    let mut wanted = chosen.map(|adapt| Quality { adapt, ..now.clone() });
    if now.adapt == Adapt::Off {
        return wanted;
    }
    let name = texts.get("min-bitrate");
    named(ui, view, &name, "", &format::bitrate(Quality::default().least_bitrate.0));
    let range = (100.0..=3_000.0, 300.0, 50.0);
    if let Some(least_bitrate) = kilobits(ui, view, &name, now.least_bitrate, range) {
        wanted = Some(Quality { least_bitrate, ..now.clone() });
    }
    let option_switch = |ui: &mut Ui, name, tip, on| {
        named_switch(ui, theme, &texts.get(name), &texts.get(tip), Type::Body, on)
    };
    // With a second encode, the main one remains unchanged.
    let frames = now.adapt_frames;
    if now.adapt != Adapt::SecondRendition
        && option_switch(ui, key!("adapt-frames"), key!("tip-adapt-frames"), frames)
    {
        wanted = Some(Quality { adapt_frames: !frames, ..now.clone() });
    }
    if option_switch(ui, key!("adapt-size"), key!("tip-adapt-size"), now.adapt_size) {
        wanted = Some(Quality { adapt_size: !now.adapt_size, ..now.clone() });
    }
    wanted
}

/// Draws the stream delay.
pub(super) fn delay(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let (name, none) = (view.texts.get("delay"), view.texts.get("delay-none"));
    let default = (!view.snapshot.delay.is_zero()).then_some(&*none);
    let reset = wide_row(ui, view, needs, Setting::Delay, default, |ui, view, _| {
        let (theme, texts) = (view.theme, view.texts);
        let snapshot = view.snapshot;
        let text = |delay: Duration| match delay.subsec_nanos() {
            _ if delay.is_zero() => none.to_string(),
            0 => format::minutes(delay),
            _ => format::short_time(delay),
        };
        let all = delay_choices(snapshot.delay).into_iter().map(|delay| (delay, text(delay)));
        let all: Vec<_> = all.collect();
        if let Some(delay) = one_of(ui, view, &name, &all, snapshot.delay, Some(Duration::ZERO)) {
            view.send(Command::SetDelay(delay));
        }
        if snapshot.live != LiveState::Idle && waits(snapshot.delay, snapshot.held) {
            paragraph(ui, &texts.get("delay-next"), Type::Small, theme.secondary);
        }
    });
    if reset {
        view.send(Command::SetDelay(Duration::ZERO));
    }
}

/// Returns the usual delays, and in their order the current one.
fn delay_choices(now: Duration) -> Vec<Duration> {
    let mut all = DELAY_CHOICES_SECONDS.map(Duration::from_secs).to_vec();
    if let Err(place) = all.binary_search(&now) {
        all.insert(place, now);
    }
    all
}

/// Returns true if the chosen delay is not that of the current broadcast, which has the delay `held`.
fn waits(chosen: Duration, held: Option<DelayFigures>) -> bool {
    match held {
        None => !chosen.is_zero(),
        // The broadcast began with a longer delay, which does not fit into the available space.
        Some(held) if held.state == DelayState::Shortened => chosen <= held.delay,
        Some(held) => chosen != held.delay,
    }
}

/// Draws the keyframe interval. The user cannot choose values that a service refuses.
pub(super) fn keyframes(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let usual = Quality::default().keyframe_interval;
    let seconds = |view: &View<'_>, of: Duration| {
        let count = format!("{}", of.as_secs_f32());
        view.texts.with("seconds", &[("count", count.into())])
    };
    let now = view.snapshot.quality.clone();
    let name = seconds(view, usual);
    let can_reset = now.keyframe_interval != usual && !view.snapshot.is_live_or_recording();
    let default = can_reset.then_some(&*name);
    let reset = wide_row(ui, view, needs, Setting::Keyframes, default, |ui, view, needs| {
        off_air(ui, view, needs.settings, |ui, view, now| {
            let name = view.texts.get("keyframe-every");
            let of = |interval| Quality { keyframe_interval: interval, ..now.clone() };
            let why_not = |interval| limits::why_no_interval(view, &of(interval));
            let every = [1, 2, 4].map(Duration::from_secs);
            let (can, cannot): (Vec<_>, Vec<_>) =
                every.into_iter().partition(|it| why_not(*it).is_none());
            let all: Vec<_> = can.into_iter().map(|it| (it, seconds(view, it))).collect();
            let wanted = one_of(ui, view, &name, &all, now.keyframe_interval, Some(usual)).map(of);
            if let Some(why) = cannot.into_iter().find_map(why_not) {
                paragraph(ui, &why, Type::Small, view.theme.secondary);
            }
            wanted
        });
    });
    if reset {
        view.send(Command::SetQuality(Quality { keyframe_interval: usual, ..now }));
    }
}

/// Draws the bitrate, sample rate and channels of the audio.
pub(super) fn audio_format(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let (now, usual) = (view.snapshot.quality.clone(), Quality::default());
    let of = |it: &Quality| {
        let rate = (it.sample_rate, it.channels);
        (it.audio_bitrate, it.audio_codec, it.audio_profile, rate)
    };
    let name = format::bitrate(usual.audio_bitrate.0);
    let can_reset = of(&now) != of(&usual) && !view.snapshot.is_live_or_recording();
    let default = can_reset.then_some(&*name);
    let reset = wide_row(ui, view, needs, Setting::AudioFormat, default, |ui, view, needs| {
        off_air(ui, view, needs.settings, audio);
    });
    if reset {
        let (audio_bitrate, audio_codec, audio_profile, (sample_rate, channels)) = of(&usual);
        let quality =
            Quality { audio_bitrate, audio_codec, audio_profile, sample_rate, channels, ..now };
        view.send(Command::SetQuality(quality));
    }
}

fn audio(ui: &mut Ui, view: &View<'_>, now: &Quality) -> Option<Quality> {
    let texts = view.texts;
    let mut wanted = None;
    let most = |channels| if channels == 1 { MAX_MONO_KBPS } else { MAX_AUDIO_KBPS };
    let name = texts.get("audio-bitrate");
    let usual = format::bitrate(Quality::default().audio_bitrate.0);
    named(ui, view, &name, key!("tip-audio-bitrate"), &usual);
    let limit = limits::audio_bitrate(view);
    let limited = limit.as_ref().map_or(MAX_AUDIO_KBPS, |(most, _)| most.0 as f32 / 1_000.0);
    let range = (MIN_AUDIO_KBPS..=most(now.channels).min(limited), 128.0, AUDIO_KBPS_STEP);
    if let Some(audio_bitrate) = kilobits(ui, view, &name, now.audio_bitrate, range) {
        // HE-AAC is only for low bitrates.
        let audio_profile = match audio_bitrate > AudioProfile::MAX_HE_BITRATE {
            true => AudioProfile::Lc,
            false => now.audio_profile,
        };
        wanted = Some(Quality { audio_bitrate, audio_profile, ..now.clone() });
    }
    if let Some((_, why)) = limit.filter(|_| limited < MAX_AUDIO_KBPS) {
        paragraph(ui, &why, Type::Small, view.theme.secondary);
    }
    let name = texts.get("audio-codec");
    let aac = texts.get("audio-codec-aac").to_string();
    named(ui, view, &name, key!("tip-audio-codec"), &aac);
    let opus = texts.get("audio-codec-opus").to_string();
    let codecs = [(AudioCodecChoice::Aac, aac), (AudioCodecChoice::Opus, opus)];
    if let Some(audio_codec) = one_of(ui, view, &name, &codecs, now.audio_codec, None) {
        wanted = Some(Quality { audio_codec, ..now.clone() });
    }
    let name = texts.get("audio-profile");
    let lc = texts.get("audio-profile-lc").to_string();
    named(ui, view, &name, key!("tip-audio-profile"), &lc);
    let he = texts.get("audio-profile-he").to_string();
    let profiles = [(AudioProfile::Lc, lc), (AudioProfile::He, he)];
    if let Some(audio_profile) = one_of(ui, view, &name, &profiles, now.audio_profile, None) {
        let most = match audio_profile {
            AudioProfile::He => AudioProfile::MAX_HE_BITRATE,
            AudioProfile::Lc => BitsPerSecond(u32::MAX),
        };
        let audio_bitrate = now.audio_bitrate.min(most);
        wanted = Some(Quality { audio_profile, audio_bitrate, ..now.clone() });
    }
    let khz = |text: &str| format!("{text}\u{a0}kHz");
    let name = texts.get("sample-rate");
    named(ui, view, &name, "", &khz("48"));
    let rates = [(44_100, khz("44.1")), (48_000, khz("48"))];
    if let Some(sample_rate) = one_of(ui, view, &name, &rates, now.sample_rate, None) {
        wanted = Some(Quality { sample_rate, ..now.clone() });
    }
    let name = texts.get("channels");
    let stereo = texts.get("channels-stereo").to_string();
    named(ui, view, &name, "", &stereo);
    let ways = [(1, texts.get("channels-mono").to_string()), (2, stereo)];
    if let Some(channels) = one_of(ui, view, &name, &ways, now.channels, None) {
        let most = BitsPerSecond(most(channels) as u32 * 1_000);
        let audio_bitrate = now.audio_bitrate.min(most);
        wanted = Some(Quality { channels, audio_bitrate, ..now.clone() });
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_from_the_settings_file_is_among_the_usual_ones() {
        let choices = |millis| {
            let all = delay_choices(Duration::from_millis(millis));
            all.iter().map(Duration::as_secs_f64).collect::<Vec<_>>()
        };
        assert_eq!(choices(10_000), [0.0, 10.0, 30.0, 120.0, 300.0, 900.0, 1_800.0]);
        assert_eq!(choices(5_500)[..3], [0.0, 5.5, 10.0]);
        assert_eq!(choices(3_600_000)[6..], [1_800.0, 3_600.0]);
    }

    #[test]
    fn a_delay_that_is_changed_on_air_waits_for_the_next_broadcast() {
        let seconds = Duration::from_secs;
        let held = |state, delay| DelayFigures {
            state,
            delay: seconds(delay),
            held: Duration::ZERO,
            begins_in: None,
            memory_bytes: 0,
            disk_bytes: 0,
        };
        let waits = |chosen, held| waits(seconds(chosen), held);
        assert!(!waits(0, None) && waits(300, None));
        for state in [DelayState::Filling, DelayState::On] {
            let held = Some(held(state, 300));
            assert!(!waits(300, held), "{state:?}");
            assert!(waits(900, held) && waits(120, held) && waits(0, held), "{state:?}");
        }
        let short = Some(held(DelayState::Shortened, 120));
        assert!(!waits(300, short), "the delay that was shortened");
        assert!(waits(120, short) && waits(0, short));
    }
}

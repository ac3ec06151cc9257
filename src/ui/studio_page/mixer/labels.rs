//! Names, texts and icons of audio sources and strips, and the selected strip of the mixer dialog.

use egui::{Color32, Context, Id, Ui};

use crate::audio::AudioChoice;
use crate::mix::{MonitoringMode, StripId};
use crate::player::source::plain;
use crate::studio::snapshot::{AudioSource, SourceState, StripView};
use crate::studio::{Command, Monitoring, TalkMode, audio_of, is_audio_of};
use crate::ui::input::actions::key;
use crate::ui::style::icons::Icon;
use crate::ui::text::format;
use crate::ui::view::View;
use crate::ui::widgets::{Level, Levels, meter};

/// Time in seconds after which a list that was not drawn is considered closed.
const LIST_TIMEOUT_SECONDS: f64 = 1.0;

/// The selected strip and its selected filter. The window remembers both while it is open.
#[derive(Copy, Clone, Debug, Default)]
pub struct MixerSelection {
    pub strip: StripId,
    pub filter: usize,
    /// The index of the added filter that the dialog scrolls to.
    pub added_filter: Option<usize>,
    /// True if the list of audio to add opens next.
    pub adds: bool,
}

impl MixerSelection {
    fn place() -> Id {
        Id::unique("mixer-strip")
    }

    /// Returns the last selection.
    pub fn get(ctx: &Context) -> Self {
        ctx.data(|data| data.get_temp(Self::place())).unwrap_or_default()
    }

    /// Stores this selection.
    pub fn set(self, ctx: &Context) {
        ctx.data_mut(|data| data.insert_temp(Self::place(), self));
    }
}

/// Refreshes the devices when a list of audio sources opens, because applications come and go. Call
/// this function while the list is drawn.
pub fn look_again(ui: &Ui, view: &mut View<'_>) {
    let place = Id::unique("sounds-looked-for");
    let now = ui.input(|input| input.time);
    let seen = ui.data_mut(|data| {
        let seen = data.get_temp::<f64>(place);
        data.insert_temp(place, now);
        seen
    });
    if seen.is_none_or(|seen| now - seen > LIST_TIMEOUT_SECONDS) {
        view.send(Command::RefreshDevices);
    }
}

/// Draws the meter of the source with this name. `silent` is the reason why the source is silent,
/// if it is.
pub fn meter_of(
    ui: &mut Ui,
    view: &View<'_>,
    name: &str,
    levels: Levels,
    silent: Option<String>,
    width: f32,
) {
    let name = view.texts.with("level-of", &[("name", name.into())]);
    let muted = silent.is_some();
    let words = silent.unwrap_or_else(|| level_words(view, levels.peak, levels.rms));
    let shown = Level { name: &name, words: &words, levels, muted };
    meter(ui, view.theme, &shown, width).on_hover_text(&*view.texts.get("tip-level"));
}

/// Returns the levels of the selected audio.
pub fn levels_of(audio: &AudioSource) -> Levels {
    Levels {
        peak: audio.peak_dbfs,
        channels: audio.channels_dbfs,
        held: audio.held_dbfs,
        rms: audio.rms_dbfs,
    }
}

/// Returns the text of a level: peak and RMS.
fn level_words(view: &View<'_>, peak: f32, rms: f32) -> String {
    let (peak, rms) = (format::decibels(peak), format::decibels(rms));
    view.texts.with("level-words", &[("peak", peak.into()), ("rms", rms.into())])
}

/// Returns the audio sources that a strip can use, including the files and streams that scenes
/// show. `own` is the strip itself.
pub fn choices(view: &View<'_>, own: Option<StripId>) -> Vec<AudioChoice> {
    let microphones = view.snapshot.microphones.iter();
    let mut choices: Vec<AudioChoice> =
        microphones.map(|device| AudioChoice::Mic(Some(device.id.clone()))).collect();
    if !choices.is_empty() {
        choices.insert(0, AudioChoice::Mic(None));
    }
    choices.extend(played(view));
    choices.extend(shown(view, own));
    choices.extend([AudioChoice::Tone, AudioChoice::Silence]);
    choices
}

/// Returns the media files and streams that the scenes or the main video source show, except those
/// that another strip already plays, because they would be twice as loud.
pub fn shown(view: &View<'_>, own: Option<StripId>) -> Vec<AudioChoice> {
    let snapshot = view.snapshot;
    let others = snapshot.strips.iter().filter(|strip| Some(strip.audio.id) != own);
    let playing: Vec<&AudioChoice> = others.map(|strip| &strip.audio.choice).collect();
    let main = snapshot.video.iter().map(|video| &video.choice);
    let sources = snapshot.scenes.collection.sources.iter().map(|source| &source.choice);
    let mut choices: Vec<AudioChoice> = Vec::new();
    for choice in main.chain(sources).filter_map(audio_of) {
        if !playing.contains(&&choice) && !choices.contains(&choice) {
            choices.push(choice);
        }
    }
    choices
}

/// Returns the audio that this computer plays: all audio, the audio of one output device, or that
/// of one application. A selected application stays in the list while it is not running.
pub fn played(view: &View<'_>) -> Vec<AudioChoice> {
    let snapshot = view.snapshot;
    let running = snapshot.applications.iter().cloned().map(AudioChoice::Application);
    let mut choices: Vec<AudioChoice> = vec![AudioChoice::System(None)];
    // A single output device is the default one, so the list does not repeat it.
    if snapshot.speakers.len() > 1 {
        let speakers = snapshot.speakers.iter().map(|it| AudioChoice::System(Some(it.id.clone())));
        choices.extend(speakers);
    }
    choices.extend(running);
    let main = snapshot.audio.iter().map(|audio| &audio.choice);
    let chosen = main.chain(snapshot.strips.iter().map(|strip| &strip.audio.choice));
    for choice in chosen {
        let kind = matches!(choice, AudioChoice::Application(_) | AudioChoice::System(_));
        if kind && !choices.contains(choice) {
            choices.push(choice.clone());
        }
    }
    choices
}

/// Returns the name of a strip.
pub fn label_of(view: &View<'_>, strip: &StripView) -> String {
    if strip.audio.name.is_empty() {
        name_of_choice(view, &strip.audio.choice, &strip.device)
    } else {
        strip.audio.name.clone()
    }
}

/// Returns the name of the selected audio.
pub fn name_of(view: &View<'_>, audio: &AudioSource) -> String {
    name_of_choice(view, &audio.choice, &audio.name)
}

/// Returns the name of an audio source. `device` is the system's name for the source while it is
/// open.
pub fn name_of_choice(view: &View<'_>, choice: &AudioChoice, device: &str) -> String {
    match choice {
        AudioChoice::Mic(_) if !device.is_empty() => device.to_owned(),
        AudioChoice::Mic(Some(id)) => {
            let known = view.snapshot.microphones.iter().find(|device| device.id == *id);
            known.map_or_else(|| id.clone(), |device| device.name.clone())
        }
        AudioChoice::Mic(None) => view.texts.get("microphone-default").to_string(),
        AudioChoice::System(None) => view.texts.get("system-audio").to_string(),
        AudioChoice::System(Some(id)) => {
            let known = view.snapshot.speakers.iter().find(|device| device.id == *id);
            let name = known.map_or(id, |device| &device.name);
            view.texts.with("system-audio-of", &[("name", name.as_str().into())])
        }
        AudioChoice::Application(name) if device.is_empty() => name.clone(),
        AudioChoice::Application(_) => device.to_owned(),
        AudioChoice::Tone => view.texts.get("test-tone").to_string(),
        AudioChoice::Silence => view.texts.get("silence").to_string(),
        AudioChoice::None => view.texts.get("no-audio").to_string(),
        AudioChoice::Stream(url) => match shown_as(view, choice) {
            Some(name) => name,
            None if device.is_empty() => plain(url),
            None => device.to_owned(),
        },
        AudioChoice::Guest(id) => shown_as(view, choice).unwrap_or_else(|| id.clone()),
        AudioChoice::File(path) => shown_as(view, choice).unwrap_or_else(|| {
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }),
    }
}

/// Returns true if a source or the main video source contains this audio.
pub fn is_shown(view: &View<'_>, choice: &AudioChoice) -> bool {
    let main = view.snapshot.video.iter().map(|video| &video.choice);
    let sources = view.snapshot.scenes.collection.sources.iter().map(|source| &source.choice);
    main.chain(sources).any(|shown| is_audio_of(choice, shown))
}

/// Returns the name of the scene source to which this audio belongs, if any.
fn shown_as(view: &View<'_>, choice: &AudioChoice) -> Option<String> {
    let mut sources = view.snapshot.scenes.collection.sources.iter();
    let source = sources.find(|source| is_audio_of(choice, &source.choice))?;
    Some(source.name.clone())
}

/// Returns the text and color for the state of a source. While the source is open, the text is its
/// measured clock drift.
pub fn state_of(view: &View<'_>, state: SourceState, drift_ppm: Option<f64>) -> (String, Color32) {
    let theme = view.theme;
    let text = match state {
        SourceState::Open => match drift_ppm {
            Some(ppm) => {
                let ppm = format::signed(ppm, 0, true);
                view.texts.with("drift", &[("ppm", ppm.into())])
            }
            None => String::new(),
        },
        SourceState::Opening => view.texts.get("state-opening").to_string(),
        SourceState::Stalled => view.texts.get("state-stalled").to_string(),
        SourceState::Lost => view.texts.get("state-lost").to_string(),
        SourceState::Failed => view.texts.get("state-failed").to_string(),
    };
    let fine = matches!(state, SourceState::Open | SourceState::Opening);
    (text, if fine { theme.secondary } else { theme.warn })
}

/// Returns the reason why a strip is silent, if it is: the user, push-to-talk or push-to-mute has
/// muted it, or its video is not visible.
pub fn silent(view: &View<'_>, strip: &StripView) -> Option<String> {
    let audio = &strip.audio;
    let why = match audio.talk {
        _ if !audio.is_muted(strip.held, strip.shown) => return None,
        _ if audio.strip.muted => key!("muted"),
        _ if !audio.scene.is_empty() && !strip.shown => key!("state-other-scene"),
        TalkMode::PushToTalk => key!("state-waits-key"),
        TalkMode::PushToMute => key!("state-key-mutes"),
        TalkMode::WhileShown => key!("state-not-shown"),
        TalkMode::Open => return None,
    };
    Some(view.texts.get(why).to_string())
}

/// Returns the reason why the selected audio is silent, if it is.
pub fn main_silent(view: &View<'_>, audio: &AudioSource) -> Option<String> {
    if audio.muted {
        return Some(view.texts.get("muted").to_string());
    }
    view.snapshot.strips.first().and_then(|main| silent(view, main))
}

/// Returns the level of a strip, or the reason why there is none.
pub fn level(view: &View<'_>, strip: &StripView) -> String {
    if strip.has_no_audio && !strip.audio.strip.muted {
        return view.texts.get("state-no-audio").to_string();
    }
    silent(view, strip)
        .or_else(|| unheard(view, strip))
        .unwrap_or_else(|| format::decibels(strip.meter.peak_dbfs))
}

/// Returns the text of a level that nobody hears.
pub fn unheard(view: &View<'_>, strip: &StripView) -> Option<String> {
    is_unheard(view, strip).then(|| view.texts.get("strip-unheard").to_string())
}

/// Returns true if nobody hears the strip: it is only monitored, and monitoring is off.
pub fn is_unheard(view: &View<'_>, strip: &StripView) -> bool {
    let settings = &strip.audio.strip;
    settings.monitoring == MonitoringMode::MonitorOnly
        && !settings.muted
        && view.snapshot.monitoring == Monitoring::Off
}

/// Returns the icon for a kind of audio source.
pub fn icon_of(choice: &AudioChoice) -> Icon {
    match choice {
        AudioChoice::Mic(_) | AudioChoice::Guest(_) => Icon::Microphone,
        AudioChoice::Tone => Icon::Tone,
        AudioChoice::System(_)
        | AudioChoice::Application(_)
        | AudioChoice::File(_)
        | AudioChoice::Stream(_) => Icon::Note,
        AudioChoice::Silence | AudioChoice::None => Icon::Silence,
    }
}

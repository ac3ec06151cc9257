//! The page *Recording*: the folder and format of recordings, and the replay buffer.

use std::time::Duration;

use egui::{Id, Sense, Ui, vec2};

use crate::encode;
use crate::files::name_pattern::{self, DEFAULT_PATTERN, MAX_PATTERN};
use crate::media::{BitsPerSecond, ExtraTrack, Size};
use crate::studio::live::recording::audio_tracks;
use crate::studio::settings::default_recording_folder;
use crate::studio::{RecordQuality, RecordingChoices, mixer};
use crate::ui::dialogs::card::DialogContext;
use crate::ui::dialogs::settings::row::{Choice, choice_row, noted_choice_row, row, wide_row};
use crate::ui::dialogs::settings::table::Setting;
use crate::ui::dialogs::settings::video::FRAME_SIZES;
use crate::ui::style::theme::{Type, gap};
use crate::ui::targets::media::target_audio;
use crate::ui::text::Texts;
use crate::ui::text::format::{bitrate as bitrate_text, size as size_text};
use crate::ui::view::{View, WindowRequest};
use crate::ui::widgets::{Button, Field, elided, paragraph, switch};
use crate::wire::container::Format;

pub(super) fn folder(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let usual = default_recording_folder();
    let now = needs.preferences.recording_folder.clone();
    let usual_name = usual.display().to_string();
    let default = (now != usual).then_some(&*usual_name);
    let mut change = false;
    let reset = row(ui, view, needs.settings, Setting::Folder, default, |ui, _| {
        let path = now.display().to_string();
        let room = vec2(ui.available_width(), 20.0);
        let (rect, response) = ui.allocate_exact_size(room, Sense::hover());
        elided(ui, rect, egui::Align::Min, &path, Type::Body.font(), view.theme.text);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &path));
        response.on_hover_text(&path);
        let text = view.texts.get("settings-folder-change");
        change = Button::new(&text).small().show(ui, view.theme).clicked();
    });
    if change {
        view.request(WindowRequest::PickRecordingFolder);
    }
    if reset {
        needs.preferences.recording_folder = usual;
    }
}

pub(super) fn format(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let all: Vec<Choice<Format>> = [Format::Mp4, Format::Mkv, Format::Flv]
        .into_iter()
        .map(|format| (format, format.extension().to_uppercase(), None))
        .collect();
    let now = &mut needs.preferences.recording.format;
    let both = (*now, RecordingChoices::default().format);
    if let Some(format) = choice_row(ui, view, needs.settings, Setting::Format, both, &all) {
        *now = format;
    }
}

/// Draws the field of the pattern for file names, and the name that it gives now.
pub(super) fn file_name(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    let now = needs.preferences.recording.file_name.clone();
    let default = (now != DEFAULT_PATTERN).then_some(DEFAULT_PATTERN);
    let reset = wide_row(ui, view, needs, Setting::FileName, default, |ui, view, needs| {
        let texts = view.texts;
        let field = Id::unique("recording-file-name");
        let mut text =
            ui.data(|data| data.get_temp::<String>(field)).unwrap_or_else(|| now.clone());
        let name = texts.get(Setting::FileName.key());
        let kept = Field {
            name: &name,
            hint: DEFAULT_PATTERN,
            limit: MAX_PATTERN,
            width: ui.available_width(),
            ..Field::new(field.with("edit"), &mut text)
        }
        .show(ui, view.theme);
        let unknown = name_pattern::unknown_placeholder(&text);
        match unknown {
            Some(name) => {
                let name = format!("{{{name}}}");
                let fault = texts.with("file-name-unknown", &[("name", name.into())]);
                paragraph(ui, &fault, Type::Small, view.theme.warn);
            }
            None => {
                let pattern = if text.trim().is_empty() { DEFAULT_PATTERN } else { &text };
                let name = name_pattern::named_by(pattern, &view.snapshot.name_values());
                let extension = needs.preferences.recording.format.extension();
                let name = format!("{name}.{extension}");
                let example = texts.with("file-name-example", &[("name", name.into())]);
                paragraph(ui, &example, Type::Small, view.theme.secondary);
            }
        }
        let is_valid = unknown.is_none();
        if kept.response.lost_focus() {
            if is_valid {
                let empty = text.trim().is_empty();
                needs.preferences.recording.file_name =
                    if empty { DEFAULT_PATTERN.to_owned() } else { text.trim().to_owned() };
            }
            ui.data_mut(|data| data.remove::<String>(field));
        } else if kept.response.has_focus() {
            ui.data_mut(|data| data.insert_temp(field, text));
        }
    });
    if reset {
        needs.preferences.recording.file_name = DEFAULT_PATTERN.to_owned();
    }
}

/// The choices of the duration in minutes, or of the size in megabytes, after which a recording
/// continues in a new file.
const SPLIT_CHOICES: [(Option<u64>, Option<u64>); 6] = [
    (None, None),
    (Some(10), None),
    (Some(30), None),
    (Some(60), None),
    (None, Some(2_000)),
    (None, Some(4_000)),
];
/// The durations of the replay buffer in seconds.
const REPLAY_CHOICES_SECONDS: [u64; 6] = [0, 15, 30, 60, 120, 300];

fn split_name(texts: &Texts, (time, bytes): (Option<Duration>, Option<u64>)) -> String {
    match (time, bytes) {
        (Some(time), _) => {
            let minutes = (time.as_secs() / 60).to_string();
            texts.with("settings-minutes", &[("count", minutes.into())])
        }
        (None, Some(bytes)) => format!("{:.1} GB", bytes as f64 / 1e9),
        (None, None) => texts.get("settings-split-never").to_string(),
    }
}

pub(super) fn split(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let choices = &mut needs.preferences.recording;
    let now = (choices.split_time, choices.split_bytes);
    let usual = RecordingChoices::default();
    let mut ways: Vec<(Option<Duration>, Option<u64>)> = SPLIT_CHOICES
        .into_iter()
        .map(|(minutes, megabytes)| {
            let time = minutes.map(|minutes| Duration::from_secs(minutes * 60));
            (time, megabytes.map(|megabytes| megabytes * 1_000_000))
        })
        .collect();
    if !ways.contains(&now) {
        ways.push(now);
    }
    let all: Vec<Choice<_>> =
        ways.into_iter().map(|way| (way, split_name(view.texts, way), None)).collect();
    let both = (now, (usual.split_time, usual.split_bytes));
    if let Some(way) = choice_row(ui, view, needs.settings, Setting::Split, both, &all) {
        (choices.split_time, choices.split_bytes) = way;
    }
}

/// The constant qualities that the window offers for recordings, the best first, and the bitrates in
/// Mbit/s. Others can be set in the settings file and on the command line.
const CRF_CHOICES: [u8; 5] = [14, 18, 20, 23, 26];
const BITRATE_CHOICES_MBPS: [u32; 4] = [8, 12, 20, 40];

/// Draws the choice of the encoder that only recordings have.
pub(super) fn encoder(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let texts = view.texts;
    let mut all = vec![(None, texts.get("record-encoder-stream").to_string(), None)];
    all.extend(encode::Choice::ALL.into_iter().map(|choice| {
        let known = view.snapshot.encoders.iter().find(|it| it.choice == Some(choice));
        let why_not = known.and_then(|it| it.unavailable.as_ref());
        let why_not = why_not.map(|error| texts.say_with_cure(&error.into()));
        let name = match choice {
            encode::Choice::Auto => texts.get("settings-encoder-auto").to_string(),
            choice => choice.name().to_owned(),
        };
        (Some(choice), name, why_not)
    }));
    let choices = &mut needs.preferences.recording;
    let both = (choices.encoder, None);
    if let Some(encoder) = choice_row(ui, view, needs.settings, Setting::RecordEncoder, both, &all)
    {
        choices.encoder = encoder;
        let is_fixed = encoder == Some(encode::Choice::OpenH264);
        if is_fixed && matches!(choices.quality, Some(RecordQuality::Crf(_))) {
            choices.quality = None;
        }
    }
}

/// Draws the choice of the quality that only recordings have.
pub(super) fn quality(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let texts = view.texts;
    let choices = &mut needs.preferences.recording;
    let mut ways: Vec<_> = CRF_CHOICES.into_iter().map(RecordQuality::Crf).collect();
    let bitrates =
        BITRATE_CHOICES_MBPS.map(|it| RecordQuality::Bitrate(BitsPerSecond(it * 1_000_000)));
    ways.extend(bitrates);
    ways.extend(choices.quality.filter(|it| !ways.contains(it)));
    let is_fixed = choices.encoder == Some(encode::Choice::OpenH264);
    let usual = match choices.encoder {
        Some(encode::Choice::Auto | encode::Choice::OpenH264) | None => {
            texts.get("record-quality-stream").to_string()
        }
        Some(_) => {
            let number = encode::RateControl::USUAL_CRF.to_string();
            texts.with("rate-control-crf", &[("number", number.into())])
        }
    };
    let mut all = vec![(None, usual, None)];
    all.extend(ways.into_iter().map(|way| match way {
        RecordQuality::Crf(number) => {
            let name = texts.with("rate-control-crf", &[("number", number.to_string().into())]);
            (Some(way), name, is_fixed.then(|| texts.get("rate-control-none").to_string()))
        }
        RecordQuality::Bitrate(bitrate) => (Some(way), bitrate_text(bitrate.0), None),
    }));
    let both = (choices.quality, None);
    if let Some(quality) = choice_row(ui, view, needs.settings, Setting::RecordQuality, both, &all)
    {
        choices.quality = quality;
    }
}

/// Draws the choice of the size that only recordings have.
pub(super) fn size(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let texts = view.texts;
    let choices = &mut needs.preferences.recording;
    let program = view.snapshot.quality.size;
    let mut sizes: Vec<Size> =
        FRAME_SIZES.into_iter().map(|(width, height)| Size::new(width, height)).collect();
    // A size of another aspect ratio would only make the recording smaller.
    sizes.retain(|it| (it.aspect() - program.aspect()).abs() < 0.01);
    sizes.extend(choices.size.filter(|it| !sizes.contains(it)));
    let mut all = vec![(None, texts.get("record-size-stream").to_string(), None)];
    all.extend(sizes.into_iter().map(|size| (Some(size), size_text(size), None)));
    let recorded = choices.own().size_for(program);
    let is_fitted = choices.size.is_some_and(|chosen| chosen != recorded);
    let note = is_fitted
        .then(|| texts.with("record-size-fitted", &[("size", size_text(recorded).into())]));
    let (both, note) = ((choices.size, None), note.as_deref());
    let setting = Setting::RecordSize;
    if let Some(size) = noted_choice_row(ui, view, needs.settings, setting, both, &all, note) {
        choices.size = size;
    }
}

pub(super) fn replay(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let now = &mut needs.preferences.recording.replay;
    let mut ways: Vec<Option<Duration>> = REPLAY_CHOICES_SECONDS
        .into_iter()
        .map(|seconds| (seconds > 0).then(|| Duration::from_secs(seconds)))
        .collect();
    if !ways.contains(now) {
        ways.push(*now);
    }
    let name = |replay: Option<Duration>| match replay {
        None => view.texts.get("settings-replay-off").to_string(),
        Some(time) => {
            let seconds = time.as_secs().to_string();
            view.texts.with("settings-seconds", &[("count", seconds.into())])
        }
    };
    let all: Vec<Choice<_>> = ways.into_iter().map(|way| (way, name(way), None)).collect();
    let both = (*now, RecordingChoices::default().replay);
    if let Some(replay) = choice_row(ui, view, needs.settings, Setting::Replay, both, &all) {
        *now = replay;
    }
}

/// Draws the switch for filling the replay buffer even while nothing is sent.
pub(super) fn replay_always(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>) {
    let choices = &mut needs.preferences.recording;
    let off = view.texts.get("setting-off");
    let default = choices.replay_always.then_some(&*off);
    let mut pressed = false;
    let reset = row(ui, view, needs.settings, Setting::ReplayAlways, default, |ui, name| {
        // Without a buffer, the switch has no effect.
        ui.add_enabled_ui(choices.replay.is_some(), |ui| {
            pressed = switch(ui, view.theme, name, choices.replay_always);
        });
    });
    choices.replay_always ^= pressed || reset;
}

/// Draws the number of audio tracks of a recording, and their names.
pub(super) fn tracks(ui: &mut Ui, view: &mut View<'_>, needs: &mut DialogContext<'_>) {
    wide_row(ui, view, needs, Setting::Tracks, None, |ui, view, needs| {
        let (theme, texts) = (view.theme, view.texts);
        let used = audio_tracks::used(view.snapshot.strips.iter().map(|it| &it.audio));
        let numbers: Vec<u8> =
            std::iter::once(1).chain(used.iter().map(ExtraTrack::number)).collect();
        let count = numbers.len().to_string();
        let text = texts.with("settings-tracks", &[("count", count.into())]);
        paragraph(ui, &text, Type::Small, theme.secondary);
        if used.is_empty() {
            paragraph(ui, &texts.get("settings-tracks-one"), Type::Small, theme.secondary);
            return;
        }
        let width = (ui.available_width() - gap::S) / 2.0;
        for pair in numbers.chunks(2) {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = gap::S;
                for number in pair {
                    track_name(ui, view, needs, *number, width);
                }
            });
        }
        let (title, tip) = (texts.get("settings-mix"), texts.get("settings-mix-tip"));
        let width = ui.available_width();
        let mix = &mut needs.preferences.recording.mix;
        if let Some(chosen) = target_audio::choice(ui, view, (&title, &tip), *mix, width) {
            *mix = chosen;
        }
    });
}

fn track_name(ui: &mut Ui, view: &View<'_>, needs: &mut DialogContext<'_>, number: u8, width: f32) {
    let place = usize::from(number).saturating_sub(1);
    let Some(given) = needs.preferences.recording.track_names.get_mut(place) else { return };
    let texts = view.texts;
    let name = texts.with("settings-track-name", &[("number", number.to_string().into())]);
    let own = view.snapshot.track_names.get(place).filter(|_| given.is_empty());
    let own = own.filter(|own| !own.is_empty()).cloned();
    let own = own.unwrap_or_else(|| texts.get("track-program").to_string());
    let field = Id::unique("track-name").with(number);
    let mut text = ui.data(|data| data.get_temp::<String>(field)).unwrap_or_else(|| given.clone());
    let kept = Field {
        name: &name,
        hint: &format!("{number} · {own}"),
        limit: crate::studio::MAX_STRIP_NAME,
        width,
        ..Field::new(field.with("edit"), &mut text)
    }
    .show(ui, view.theme);
    if kept.response.lost_focus() {
        *given = mixer::clean_name(&text);
        ui.data_mut(|data| data.remove::<String>(field));
    } else if kept.response.has_focus() {
        ui.data_mut(|data| data.insert_temp(field, text));
    }
}

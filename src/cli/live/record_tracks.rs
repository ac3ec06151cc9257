//! `--record-track NAME=SOURCE`: adds extra audio tracks to the recording.

use crate::audio::AudioChoice;
use crate::media::ExtraTrack;
use crate::mix::{MonitoringMode, Strip, StripId};
use crate::studio::live::recording::audio_tracks;
use crate::studio::{AudioStrip, MAX_STRIPS, Settings, mixer};
use crate::text::Problem;
use crate::text::problem::problem;

/// An audio source with the name of its track.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedSource {
    name: String,
    choice: AudioChoice,
}

/// Parses `NAME=SOURCE`.
pub(super) fn parse(text: &str) -> Result<NamedSource, Problem> {
    let (name, source) = text.split_once('=').ok_or_else(|| problem!("record-track-syntax"))?;
    let name = mixer::clean_name(name);
    if name.is_empty() {
        return Err(problem!("record-track-unnamed"));
    }
    match source.parse()? {
        AudioChoice::None => Err(problem!("record-track-silent")),
        choice => Ok(NamedSource { name, choice }),
    }
}

/// Assigns a free track to each source. The strip with this source is used, or a new strip.
pub(super) fn add(wanted: &[NamedSource], settings: &mut Settings) -> Result<(), Problem> {
    for NamedSource { name, choice } in wanted {
        let used = audio_tracks::used(&settings.strips);
        let track = ExtraTrack::all().find(|track| !used.has(*track));
        let track = track.ok_or_else(|| problem!("record-track-full", name = name.clone()))?;
        let main = settings.audio.as_ref() == Some(choice);
        let hears = |strip: &&mut AudioStrip| match strip.id {
            StripId::MAIN => main,
            _ => strip.choice == *choice,
        };
        if let Some(strip) = settings.strips.iter_mut().find(hears) {
            strip.strip.tracks = strip.strip.tracks.with(track, true);
        } else {
            let id = mixer::free_id(&settings.strips);
            let id = id.ok_or_else(|| problem!("record-track-strips", most = MAX_STRIPS))?;
            let tracks = [track].into_iter().collect();
            settings.strips.push(AudioStrip {
                name: name.clone(),
                strip: Strip { monitoring: MonitoringMode::Tracks, tracks, ..Strip::default() },
                ..AudioStrip::new(id, choice.clone())
            });
        }
        let names = &mut settings.preferences.recording.track_names;
        if let Some(place) = names.get_mut(track.place() + 1) {
            place.clone_from(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sources_are_read() {
        let named = parse("My voice=mic:usb=1").unwrap();
        assert_eq!(named.name, "My voice");
        assert_eq!(named.choice, AudioChoice::Mic(Some("usb=1".into())));
        for bad in ["mic", "=mic", " =mic", "Voice=", "Voice=none", "Voice=trumpet"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_source_gets_a_track_and_an_open_source_is_not_opened_twice() {
        let mut settings = Settings { audio: Some(AudioChoice::Tone), ..Settings::default() };
        let wanted = ["Tone=tone", "Voice=mic", "Again=mic"].map(|text| parse(text).unwrap());
        add(&wanted, &mut settings).unwrap();
        let of = |strip: &AudioStrip| {
            strip.strip.tracks.iter().map(ExtraTrack::number).collect::<Vec<_>>()
        };
        let strips = &settings.strips;
        assert_eq!(strips.len(), 2);
        assert_eq!(
            (of(&strips[0]), strips[0].strip.monitoring),
            (vec![2], MonitoringMode::Program)
        );
        assert_eq!(
            (of(&strips[1]), strips[1].strip.monitoring),
            (vec![3, 4], MonitoringMode::Tracks)
        );
        let names = settings.preferences.recording.track_names.clone();
        assert_eq!(names[..5], ["", "Tone", "Voice", "Again", ""]);
        assert!(add(&wanted, &mut settings).is_err(), "six tracks and no more");
    }
}

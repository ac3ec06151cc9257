//! Floor 3: opens audio from devices, files and the test source, each behind an [`AudioFeed`]. This
//! file also opens the path to the speakers.

use crate::audio::choice::AudioChoice;
use crate::audio::mic::WantedInput;
use crate::audio::source::{ApplicationInfo, Context, DeviceInfo, Error, Source};
use crate::audio::system::{Direction, Fault};
use crate::audio::tone::{Silence, Tone};
use crate::audio::{backend, mic, signal_watch, wav};
use crate::base::Timestamp;
use crate::media::markers::Schedule;
use crate::media::source_status::{SourceAlarm, SourceFormat, SourceStatus};
use crate::media::{AudioFeed, Transport};
use crate::text::problem::{Problem, problem};

/// Lists the microphones that are connected now.
pub fn microphones() -> Vec<DeviceInfo> {
    list(Direction::Input)
}

/// Lists the speakers and headphones that are connected now.
pub fn speakers() -> Vec<DeviceInfo> {
    list(Direction::Output)
}

/// Lists the applications that currently play audio.
///
/// # Errors
/// Fails with the reason if the audio system cannot list applications.
pub fn applications() -> Result<Vec<ApplicationInfo>, Problem> {
    match backend::system().applications() {
        Ok(found) => Ok(found.into_iter().filter(|it| it.playing).collect()),
        Err(Fault::Absent(_)) => Err(problem!("device-no-applications")),
        Err(fault) => Err(Problem::from(&fault)),
    }
}

fn list(direction: Direction) -> Vec<DeviceInfo> {
    backend::system().devices(direction).unwrap_or_else(|fault| {
        tracing::warn!(%fault, detail = fault.detail(), "listing audio devices failed");
        Vec::new()
    })
}

/// Returns true if [`open`] supports this source. The player opens other files and streams.
pub fn hears(choice: &AudioChoice) -> bool {
    match choice {
        AudioChoice::File(path) => wav::is_wav(path),
        AudioChoice::Stream(_) | AudioChoice::Guest(_) => false,
        _ => true,
    }
}

/// Returns the alarm for silence of this source if it has a fallback, or `None` if onair watches
/// the source for silence anyway.
pub fn silence_of(choice: &AudioChoice) -> Option<SourceAlarm> {
    match choice {
        AudioChoice::Mic(_) => None,
        AudioChoice::System(_) | AudioChoice::Application(_) => Some(SourceAlarm::SystemSilent),
        _ => Some(SourceAlarm::PlayedSilent),
    }
}

/// Opens a source for which [`hears`] returns true.
///
/// # Errors
/// Fails if the source cannot be opened, for example because its file cannot be played, or if the
/// choice is `none`.
pub fn open(choice: &AudioChoice, context: &Context) -> Result<Source, Error> {
    let Context { clock, grid, rate, channels, .. } = *context;
    let own = |name: &str, feed: Box<dyn AudioFeed>| {
        let status = SourceStatus::new("", name);
        status.open(SourceFormat::Audio { rate, channels });
        Ok(Source { feed, status, transport: Transport::default() })
    };
    let captured = |wanted| mic::open(backend::system(), wanted, context);
    match choice {
        AudioChoice::Tone => {
            let schedule = Schedule::new(grid, clock.wall_micros(Timestamp::ZERO));
            own("Test tone", Box::new(Tone { schedule, rate, channels }))
        }
        AudioChoice::Silence => own("Silence", Box::new(Silence)),
        AudioChoice::File(path) => wav::open(path, context),
        // The player on floor 4 opens streams for the studio.
        AudioChoice::Stream(_) | AudioChoice::Guest(_) => Err(Error::NoAudio),
        AudioChoice::Mic(id) => captured(WantedInput::Microphone(id.clone()))
            .map(|source| signal_watch::over(source, rate, channels)),
        // Silence of a speaker is normal, not a problem.
        AudioChoice::System(id) => captured(WantedInput::Speakers(id.clone())),
        AudioChoice::Application(name) => captured(WantedInput::Application(name.clone())),
        AudioChoice::None => Err(Error::NoAudio),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_for_silence_depends_on_the_kind_of_source() {
        let of = |choice: &str| silence_of(&choice.parse().unwrap());
        assert_eq!((of("mic"), of("mic:usb")), (None, None));
        for choice in ["system", "system:speakers", "app:Firefox"] {
            assert_eq!(of(choice), Some(SourceAlarm::SystemSilent), "{choice}");
        }
        for choice in ["file:/a.wav", "stream:rtmp://h/a/s", "tone"] {
            assert_eq!(of(choice), Some(SourceAlarm::PlayedSilent), "{choice}");
        }
    }
}

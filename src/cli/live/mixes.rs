//! `--mix NAME`: the audio track that the preceding target or recording gets as its sound. `--target-track NAME`:
//! a further track of the preceding target. `--target-rendition SIZE`: a further rendition of its video.

use clap::ArgMatches;

use crate::cli::live::canvas;
use crate::cli::output::exit::Exit;
use crate::media::ExtraTrack;
use crate::studio::live::recording::audio_tracks;
use crate::studio::targets::renditions::RenditionChoice;
use crate::studio::{Settings, Target};
use crate::text::problem::{Problem, problem};

/// The name of the program's audio.
const PROGRAM: &str = "program";

/// The output to which a flag belongs.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Owner {
    /// The target at this place on the command line.
    Target(usize),
    Recording,
    /// The recording of the second canvas.
    CanvasRecording,
}

/// Sets the mixes and further tracks of the targets on the command line, and the mix of the recording.
///
/// # Errors
/// Fails for a flag before any target or recording, for two mixes of one output, for a further track that is the
/// program, the target's mix or of a recording, and for an unknown track or one without strips.
pub(super) fn apply(
    matches: &ArgMatches,
    targets: &mut [Target],
    settings: &mut Settings,
) -> Result<(), (Problem, Exit)> {
    let mut set = Vec::new();
    for (owner, name) in written::<String>(matches, "target_track") {
        let Some(Owner::Target(place)) = owner else {
            return Err((problem!("cli-no-target-before", flag = "--target-track"), Exit::Usage));
        };
        let track = find(&name, settings).map_err(|why| (why, Exit::File))?;
        let track = track.ok_or_else(|| (problem!("cli-track-program"), Exit::Usage))?;
        for target in targets.iter_mut().skip(place).take(1) {
            target.tracks = target.tracks.and([track].into_iter().collect());
        }
    }
    renditions(matches, targets)?;
    for (owner, name) in written::<String>(matches, "mix") {
        let owner = owner.ok_or_else(|| (problem!("cli-no-output-before"), Exit::Usage))?;
        if set.contains(&owner) {
            return Err((problem!("cli-two-mixes"), Exit::Usage));
        }
        set.push(owner);
        let mix = find(&name, settings).map_err(|why| (why, Exit::File))?;
        match owner {
            Owner::Target(place) => {
                targets.iter_mut().skip(place).take(1).for_each(|it| it.mix = mix);
            }
            Owner::Recording => settings.preferences.recording.mix = mix,
            Owner::CanvasRecording => settings.canvas.mix = mix,
        }
    }
    match targets.iter().any(|it| it.mix.is_some_and(|mix| it.tracks.has(mix))) {
        true => Err((problem!("cli-track-is-mix"), Exit::Usage)),
        false => Ok(()),
    }
}

/// Sets the further renditions of the targets. Without the flag, a target keeps those of the settings.
fn renditions(matches: &ArgMatches, targets: &mut [Target]) -> Result<(), (Problem, Exit)> {
    let refuse = |why| Err((why, Exit::Usage));
    let mut all: Vec<RenditionChoice> = Vec::new();
    let mut set = Vec::new();
    for (owner, choice) in written::<RenditionChoice>(matches, "target_rendition") {
        let Some(Owner::Target(place)) = owner else {
            return refuse(problem!("cli-no-target-before", flag = "--target-rendition"));
        };
        let Some(target) = targets.get_mut(place) else { continue };
        if target.second_canvas {
            return refuse(problem!("cli-rendition-of-canvas"));
        }
        if !set.contains(&place) {
            set.push(place);
            target.renditions.clear();
        }
        if !target.renditions.contains(&choice) {
            target.renditions.push(choice);
        }
        if !all.contains(&choice) {
            all.push(choice);
        }
    }
    match all.len() > RenditionChoice::MAX {
        true => refuse(problem!("renditions-full", most = RenditionChoice::MAX)),
        false => Ok(()),
    }
}

/// Returns each value of this flag with the output before it.
fn written<T: Clone + Send + Sync + 'static>(
    matches: &ArgMatches,
    flag: &str,
) -> Vec<(Option<Owner>, T)> {
    let indices = |flag: &str| matches.indices_of(flag).into_iter().flatten();
    let mut targets: Vec<usize> = indices("to").chain(indices("service")).collect();
    targets.sort_unstable();
    let targets = targets.into_iter().enumerate().map(|(place, at)| (at, Owner::Target(place)));
    let canvas = canvas::index(matches);
    let recordings = indices("record").map(|at| match canvas.is_some_and(|canvas| at > canvas) {
        true => (at, Owner::CanvasRecording),
        false => (at, Owner::Recording),
    });
    let owners: Vec<(usize, Owner)> = targets.chain(recordings).collect();
    let before = |at: usize| {
        owners.iter().filter(|(its, _)| *its < at).max_by_key(|(its, _)| *its).map(|(_, it)| *it)
    };
    let names = matches.get_many::<T>(flag).into_iter().flatten();
    indices(flag).zip(names).map(|(at, name)| (before(at), name.clone())).collect()
}

/// Returns the track with this name or number; `None` means the program.
fn find(name: &str, settings: &Settings) -> Result<Option<ExtraTrack>, Problem> {
    let name = name.trim();
    let names = &settings.preferences.recording.track_names;
    let called = |track: &ExtraTrack| names.get(track.place() + 1).is_some_and(|it| it == name);
    let numbered = || name.parse().ok().and_then(ExtraTrack::new);
    let used = audio_tracks::used(&settings.strips);
    match ExtraTrack::all().find(called).or_else(numbered) {
        Some(track) if used.has(track) => Ok(Some(track)),
        Some(_) => Err(problem!("cli-empty-mix", name = name)),
        None if name == PROGRAM || names.first().is_some_and(|it| it == name) => Ok(None),
        None => {
            let named = used.iter().map(|track| {
                let own = names.get(track.place() + 1).filter(|it| !it.is_empty()).cloned();
                own.unwrap_or_else(|| track.to_string())
            });
            let known: Vec<String> = std::iter::once(PROGRAM.to_owned()).chain(named).collect();
            Err(problem!("cli-no-mix", name = name, mixes = known.join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::audio::AudioChoice;
    use crate::base::Secret;
    use crate::cli::Cli;
    use crate::mix::StripId;
    use crate::studio::AudioStrip;

    /// Settings with a strip in track 3, which has a name.
    fn settings() -> Settings {
        let mut settings = Settings::default();
        let mut strip = AudioStrip::new(StripId(7), AudioChoice::Tone);
        strip.strip.tracks = ExtraTrack::new(3).into_iter().collect();
        settings.strips.push(strip);
        settings.preferences.recording.track_names[1] = "Nobody".into();
        settings.preferences.recording.track_names[2] = "Archive".into();
        settings
    }

    type Mixes = (Vec<Option<u8>>, Option<u8>);

    fn mixes(words: &[&str]) -> Result<Mixes, (String, Exit)> {
        let all = ["onair", "live"].iter().chain(words);
        let matches = Cli::command().try_get_matches_from(all).unwrap();
        let (mut settings, number) =
            (settings(), |mix: Option<ExtraTrack>| mix.map(|it| it.number()));
        let mut targets: Vec<_> =
            (0..2).map(|id| Target::custom(id, "rtmp://h/app", Secret::default())).collect();
        let live = matches.subcommand_matches("live").unwrap();
        apply(live, &mut targets, &mut settings)
            .map_err(|(why, exit)| (why.id().to_owned(), exit))?;
        let recording = number(settings.preferences.recording.mix);
        Ok((targets.iter().map(|it| number(it.mix)).collect(), recording))
    }

    #[test]
    fn each_mix_belongs_to_the_target_or_recording_before_it() {
        let to = ["--to", "rtmp://a/app/k", "--to", "rtmp://b/app/k"];
        assert_eq!(mixes(&to).unwrap(), (vec![None, None], None));
        let words = [&to[..2], &["--mix", "Archive"], &to[2..]].concat();
        assert_eq!(mixes(&words).unwrap(), (vec![Some(3), None], None));
        let words = [&to[..], &["--mix=3", "--record", "a.mp4", "--mix", "Archive"]].concat();
        assert_eq!(mixes(&words).unwrap(), (vec![None, Some(3)], Some(3)));
        let words = [&to[..], &["--mix", "program"]].concat();
        assert_eq!(mixes(&words).unwrap(), (vec![None, None], None));
    }

    #[test]
    fn further_tracks_belong_to_the_target_before_them_and_not_to_a_recording() {
        let tracks = |words: &[&str]| {
            let all = ["onair", "live"].iter().chain(words);
            let matches = Cli::command().try_get_matches_from(all).unwrap();
            let mut targets =
                vec![Target::custom(0, "rtmp://h/app", Secret::default()), Target::built_in()];
            let live = matches.subcommand_matches("live").unwrap();
            apply(live, &mut targets, &mut settings()).map_err(|(why, _)| why.id().to_owned())?;
            let numbers = |it: &Target| it.tracks.iter().map(ExtraTrack::number).collect();
            Ok::<Vec<Vec<u8>>, String>(targets.iter().map(numbers).collect())
        };
        let to = ["--to", "rtmp://a/app/k"];
        let words = [&to[..], &["--target-track", "Archive", "--mix", "program"]].concat();
        assert_eq!(tracks(&words), Ok(vec![vec![3], vec![]]));
        let words = [&to[..], &["--record", "a.mkv", "--target-track", "3"]].concat();
        assert_eq!(tracks(&words), Err("cli-no-target-before".to_owned()));
        let words = [&to[..], &["--target-track", "Choir"]].concat();
        assert_eq!(tracks(&words), Err("cli-no-mix".to_owned()));
        let words = [&to[..], &["--target-track", "program"]].concat();
        assert_eq!(tracks(&words), Err("cli-track-program".to_owned()));
        let words = [&to[..], &["--target-track", "3", "--mix", "Archive"]].concat();
        assert_eq!(tracks(&words), Err("cli-track-is-mix".to_owned()));
    }

    #[test]
    fn further_renditions_belong_to_the_target_before_them() {
        let renditions = |words: &[&str]| {
            let all = ["onair", "live"].iter().chain(words);
            let matches = Cli::command().try_get_matches_from(all).unwrap();
            let mut targets = vec![Target::custom(0, "rtmp://h/app", Secret::default()); 2];
            if let Some(second) = targets.last_mut() {
                second.second_canvas = true;
            }
            let live = matches.subcommand_matches("live").unwrap();
            apply(live, &mut targets, &mut settings()).map_err(|(why, _)| why.id().to_owned())?;
            let names = |it: &Target| it.renditions.iter().map(ToString::to_string).collect();
            Ok::<Vec<Vec<String>>, String>(targets.iter().map(names).collect())
        };
        let to = ["--to", "rtmp://a/app/k"];
        let with = |more: &[&'static str]| [&to[..], more].concat();
        let two = ["--target-rendition", "640x360@800k", "--target-rendition", "426x240"];
        let named = vec!["640x360@800000".to_owned(), "426x240".to_owned()];
        assert_eq!(renditions(&with(&two)), Ok(vec![named, vec![]]));
        let four: Vec<_> = ["2x2", "4x4", "6x6", "8x8"]
            .iter()
            .flat_map(|size| ["--target-rendition", *size])
            .collect();
        assert_eq!(renditions(&with(&four)), Err("renditions-full".to_owned()));
        let one = ["--target-rendition", "640x360"];
        assert_eq!(renditions(&one), Err("cli-no-target-before".to_owned()));
        let both = [&to[..], &to, &one].concat();
        assert_eq!(renditions(&both), Err("cli-rendition-of-canvas".to_owned()));
    }

    #[test]
    fn a_mix_that_fits_nowhere_or_is_not_known_is_refused() {
        let to = ["--to", "rtmp://a/app/k"];
        for (words, why, exit) in [
            (&["--mix", "Archive"][..], "cli-no-output-before", Exit::Usage),
            (&["--mix", "Nobody"], "cli-empty-mix", Exit::File),
            (&["--mix", "2"], "cli-empty-mix", Exit::File),
            (&["--mix", "7"], "cli-no-mix", Exit::File),
            (&["--mix", "Choir"], "cli-no-mix", Exit::File),
            (&["--mix", "3", "--mix", "3"], "cli-two-mixes", Exit::Usage),
        ] {
            let words = match why {
                "cli-no-output-before" => [words, &to].concat(),
                _ => [&to, words].concat(),
            };
            assert_eq!(mixes(&words), Err((why.to_owned(), exit)), "{words:?}");
        }
    }
}

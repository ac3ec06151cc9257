//! Assigns stream keys to targets: each `--key-…` applies to the preceding `--to`.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::ArgMatches;
use zeroize::Zeroizing;

use crate::base::Secret;
use crate::base::file_stamp::read_with;
use crate::cli::live::args::Args;
use crate::cli::output::exit::Exit;
use crate::media::BitsPerSecond;
use crate::studio::Target;
use crate::studio::targets::Simulcast;
use crate::studio::targets::services::ServiceList;
use crate::studio::watch::choices::may_be_played;
use crate::text::problem::{Problem, Value, problem};

/// Maximum length of a key in bytes. A longer key is invalid.
const MAX_KEY_BYTES: u64 = 8 << 10;

/// A target as the user entered it: its URL and its separate key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetArgument {
    pub url: String,
    pub key: Option<Secret>,
    /// The playback address of `--monitor=URL`.
    pub play_url: Option<Secret>,
    pub least_bitrate: Option<BitsPerSecond>,
    pub simulcast: Simulcast,
}

/// The source of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    Env(String),
    File(PathBuf),
    Stdin,
}

/// The reason why the targets are invalid: wrong usage, or a key that cannot be read.
type Error = (Problem, Exit);

/// Combines URLs and keys in the order of the arguments.
///
/// # Errors
/// Fails for a flag of a target before any `--to` or `--service`, for an unknown service or one
/// without a common address, for two keys for one target, and for a key that cannot be read.
pub fn written(matches: &ArgMatches, services: &ServiceList) -> Result<Vec<TargetArgument>, Error> {
    let mut words: Vec<(usize, Word)> = Vec::new();
    words.extend(values(matches, "to", Word::Url));
    words.extend(values(matches, "service", |id: String| {
        let service = services.find(&id);
        match (service, service.and_then(|service| service.servers.first())) {
            (_, Some(server)) => Word::Url(server.to_string()),
            (Some(service), None) => {
                Word::PerShow(service.name.to_string(), service.key_page.to_string())
            }
            (None, None) => Word::NoService(id),
        }
    }));
    words.extend(values(matches, "key_env", |name| Word::Key(KeySource::Env(name))));
    words.extend(values(matches, "target_min_bitrate", Word::Floor));
    words.extend(values(matches, "target_simulcast", Word::Layers));
    words.extend(values(matches, "key_file", |path| Word::Key(KeySource::File(path))));
    if matches.get_flag("key_stdin")
        && let Some(index) = matches.index_of("key_stdin")
    {
        words.push((index, Word::Key(KeySource::Stdin)));
    }
    // Without an address, `--monitor` applies to all targets.
    let monitored = values(matches, "monitor", |url: String| url);
    let monitored = monitored.filter(|(_, url)| !url.is_empty());
    words.extend(monitored.map(|(index, url)| (index, Word::Watched(Secret::new(url)))));
    words.sort_by_key(|(index, _)| *index);
    assemble(words.into_iter().map(|(_, word)| word))
}

/// Returns what `make` makes of the values of a flag, each with its place on the command line.
fn values<T: Clone + Send + Sync + 'static, W>(
    matches: &ArgMatches,
    flag: &str,
    make: impl Fn(T) -> W,
) -> impl Iterator<Item = (usize, W)> {
    let values = matches.try_get_many::<T>(flag).ok().flatten().into_iter().flatten();
    let indices = matches.indices_of(flag).into_iter().flatten();
    indices.zip(values).map(move |(index, value)| (index, make(value.clone())))
}

/// Replaces the problem of an address without a stream key. Its own advice would put the key into
/// the address, where other users of the computer can see it.
pub fn with_key_advice(why: Problem) -> Problem {
    match why.id() {
        "url-no-stream" => problem!("cli-no-key"),
        _ => why,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Url(String),
    /// An unknown service.
    NoService(String),
    /// A service with a separate address for each show: its name and its page.
    PerShow(String, String),
    Key(KeySource),
    Watched(Secret),
    Floor(BitsPerSecond),
    Layers(u8),
}

/// Returns the target to which this flag belongs.
fn last<'a>(
    targets: &'a mut [TargetArgument],
    flag: &str,
) -> Result<&'a mut TargetArgument, Error> {
    let missing = || (problem!("cli-no-target-before", flag = flag), Exit::Usage);
    targets.last_mut().ok_or_else(missing)
}

fn assemble(words: impl Iterator<Item = Word>) -> Result<Vec<TargetArgument>, Error> {
    let mut targets: Vec<TargetArgument> = Vec::new();
    for word in words {
        match word {
            Word::Url(url) => {
                targets.push(TargetArgument {
                    url,
                    key: None,
                    play_url: None,
                    least_bitrate: None,
                    simulcast: Simulcast::default(),
                });
            }
            Word::Watched(url) => {
                if !may_be_played(url.expose()) {
                    return Err((problem!("cli-play-url"), Exit::Usage));
                }
                last(&mut targets, "--monitor=URL")?.play_url = Some(url);
            }
            Word::PerShow(name, page) => {
                return Err((problem!("cli-per-show", name = name, page = page), Exit::Usage));
            }
            Word::NoService(id) => {
                return Err((problem!("cli-no-service", id = id), Exit::Usage));
            }
            Word::Floor(floor) => {
                last(&mut targets, "--target-min-bitrate")?.least_bitrate = Some(floor);
            }
            Word::Layers(sizes) => {
                let target = last(&mut targets, "--target-simulcast")?;
                target.simulcast = Simulcast::new(sizes).unwrap_or_default();
            }
            Word::Key(source) => {
                let target = last(&mut targets, "--key-…")?;
                if target.key.is_some() {
                    return Err((problem!("cli-two-keys"), Exit::Usage));
                }
                target.key = Some(source.read()?);
            }
        }
    }
    Ok(targets)
}

impl KeySource {
    /// Reads the key: the first line, trimmed.
    ///
    /// # Errors
    /// Fails if the key cannot be read or is missing.
    pub fn read(&self) -> Result<Secret, Error> {
        let (text, place) = match self {
            Self::Env(name) => {
                let text = std::env::var(name).map_err(|_| {
                    // A word that is no usual name may be the key itself.
                    let why = match is_usual_name(name) {
                        true => problem!("cli-no-key-in-variable", name = name),
                        false => problem!("cli-no-key-variable"),
                    };
                    (why, Exit::File)
                })?;
                (Zeroizing::new(text), Value::from(name))
            }
            Self::File(path) => {
                let place = path.display().to_string();
                let place = Value::from(place);
                (key_line(path, &place)?, place)
            }
            Self::Stdin => {
                let place = Value::from(problem!("cli-stdin"));
                (piped_line(std::io::stdin().lock(), &place)?, place)
            }
        };
        let key = text.lines().next().unwrap_or_default().trim();
        if key.is_empty() || text.len() as u64 > MAX_KEY_BYTES {
            return Err((problem!("cli-no-key-in-file", place = place), Exit::File));
        }
        Ok(Secret::new(key))
    }

    /// Reads a key that becomes a part of links, and therefore may contain only characters that
    /// links allow.
    ///
    /// # Errors
    /// Fails like [`KeySource::read`], and if the key contains any other character.
    pub fn read_for_links(&self) -> Result<Secret, Error> {
        let key = self.read()?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match key.expose().bytes().all(fits) {
            true => Ok(key),
            false => Err((problem!("cli-play-key-letters"), Exit::Usage)),
        }
    }
}

/// Returns true if environment variables usually have such names.
fn is_usual_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    name.bytes().all(fits) && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// Reads the line of a pipe, which has no path and no permissions to check.
fn piped_line<R: BufRead>(from: R, place: &Value) -> Result<Zeroizing<String>, Error> {
    first_line(Ok(from), place)
        .map_err(|(why, exit)| (why.with_cure(problem!("cli-cure-key-stdin")), exit))
}

/// Reads the line of a file, which may also be a pipe.
fn key_line(path: &Path, place: &Value) -> Result<Zeroizing<String>, Error> {
    let read = |file| {
        let mut line = Zeroizing::new(String::new());
        BufReader::new(file).take(MAX_KEY_BYTES + 1).read_line(&mut line).map(|_| line)
    };
    read_with(path, read).map_err(|error| unreadable(&error, place))
}

fn unreadable(error: &std::io::Error, place: &Value) -> Error {
    let (place, reason) = (place.clone(), Problem::from(error));
    (problem!("cli-key-unreadable", place = place, reason = reason), Exit::File)
}

/// Reads only one line, limited to the length of a key, because the writer may keep a pipe open.
fn first_line<R: BufRead>(
    opened: std::io::Result<R>,
    place: &Value,
) -> Result<Zeroizing<String>, Error> {
    let mut line = Zeroizing::new(String::new());
    opened
        .and_then(|from| from.take(MAX_KEY_BYTES + 1).read_line(&mut line))
        .map_err(|error| unreadable(&error, place))?;
    Ok(line)
}

/// Returns true if a run without targets on the command line sends to the targets of the settings.
/// A mere recording does not, but a resumed broadcast can be recorded.
pub(super) fn sends_to_settings(args: &Args) -> bool {
    args.record.is_empty() || args.resume
}

/// Returns the targets of the broadcast: those of the command line, or else those of the settings.
pub(super) fn used_targets(args: &Args, given: Vec<Target>, known: &[Target]) -> Vec<Target> {
    let mut used = given;
    if args.built_in {
        used = vec![built_in(known)];
    } else if used.is_empty() && sends_to_settings(args) {
        used = known.to_vec();
    }
    if args.monitor.iter().any(String::is_empty) {
        used.iter_mut().for_each(|target| target.monitor = Some(true));
    }
    used
}

/// Adds the built-in server as a target: guests see the program there.
pub(super) fn add_built_in(targets: &mut Vec<Target>) {
    match targets.iter_mut().find(|target| target.is_built_in()) {
        Some(target) => target.enabled = true,
        None => {
            let id = targets.iter().map(|target| target.id + 1).max().unwrap_or(0);
            targets.push(Target { id, ..built_in(&[]) });
        }
    }
}

/// Returns the built-in server as configured in the settings.
fn built_in(known: &[Target]) -> Target {
    let known = known.iter().find(|target| target.is_built_in()).cloned();
    Target { enabled: true, ..known.unwrap_or_else(Target::built_in) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use crate::text::Language;
    use clap::CommandFactory;

    fn parse(words: &[&str]) -> Result<Vec<TargetArgument>, Error> {
        let all = ["onair", "live"].iter().chain(words);
        let matches = Cli::command().try_get_matches_from(all).unwrap();
        written(matches.subcommand_matches("live").unwrap(), &ServiceList::default())
    }

    #[test]
    fn a_key_for_links_has_only_characters_of_links() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            KeySource::File(file.clone()).read_for_links()
        };
        assert_eq!(read("Tulip-9_a.b~\nmore\n").unwrap(), Secret::new("Tulip-9_a.b~"));
        for bad in ["a b", "a&b", "a#b", "é", ""] {
            let (why, _) = read(bad).unwrap_err();
            assert!(!why.to_string().contains("a&b"), "{why}");
            assert!(Language::English.cure(&why).is_some(), "{why}");
        }
    }

    #[test]
    fn an_unreadable_pipe_has_no_path_to_check() {
        let place = Value::from(problem!("cli-stdin"));
        let (why, exit) = piped_line(&b"\xFF\xFE\n"[..], &place).unwrap_err();
        let why = Language::English.say_with_cure(&why);
        assert!(why.ends_with(". Pipe the key to onair as one line of text."), "{why}");
        assert_eq!(exit, Exit::File);
    }

    #[test]
    fn each_key_belongs_to_the_url_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "filekey\nrest").unwrap();
        let file = file.display().to_string();
        let targets = parse(&[
            "--to",
            "rtmp://a/app/whole",
            "--to",
            "rtmp://b/app",
            "--key-file",
            &file,
            "--to",
            "rtmp://c/app",
            "--key-env",
            "PATH",
        ])
        .unwrap();
        let keys: Vec<_> =
            targets.iter().map(|target| target.key.as_ref().map(Secret::expose)).collect();
        assert_eq!(keys, [None, Some("filekey"), Some(&*std::env::var("PATH").unwrap())]);
        assert_eq!(targets[1].url, "rtmp://b/app");
    }

    #[test]
    fn each_address_to_watch_belongs_to_the_url_before_it() {
        let targets = parse(&[
            "--to",
            "rtmp://a/app/k",
            "--monitor=rtmp://b/app/k",
            "--monitor",
            "--to",
            "rtmp://c/app/k",
        ])
        .unwrap();
        let watched: Vec<_> =
            targets.iter().map(|target| target.play_url.as_ref().map(Secret::expose)).collect();
        assert_eq!(watched, [Some("rtmp://b/app/k"), None]);
        for bad in ["--monitor=foo", "--monitor=file:///a.flv", "--monitor=rtmp://"] {
            let Err((why, exit)) = parse(&["--to", "rtmp://a/app/k", bad]) else { panic!("{bad}") };
            assert_eq!((why.id(), exit), ("cli-play-url", Exit::Usage), "{bad}");
        }
        let early = parse(&["--monitor=rtmp://b/app/k", "--to", "rtmp://a/b"]);
        assert!(matches!(early, Err((_, Exit::Usage))));
    }

    #[test]
    fn services_and_floors_belong_to_their_targets() {
        let targets = parse(&[
            "--service",
            "twitch",
            "--to",
            "rtmp://b/app/x",
            "--target-min-bitrate",
            "800k",
            "--target-simulcast",
            "3",
        ])
        .unwrap();
        assert!(targets[0].url.starts_with("rtmps://") && targets[0].least_bitrate.is_none());
        assert_eq!(targets[1].least_bitrate, Some(BitsPerSecond(800_000)));
        assert_eq!([0, 1].map(|it| targets[it].simulcast.get()), [1, 3]);
        let alone = ["onair", "live", "--target-simulcast", "2"];
        assert!(Cli::command().try_get_matches_from(alone).is_err());
        assert!(matches!(parse(&["--service", "nobody"]), Err((_, Exit::Usage))));
        let Err((why, Exit::Usage)) = parse(&["--service", "xiaohongshu"]) else { panic!() };
        let why = Language::English.say_with_cure(&why);
        assert!(why.contains("each show") && why.contains("https://redlive."), "{why}");
    }

    #[test]
    fn keys_that_belong_nowhere_or_cannot_be_read_are_refused() {
        let early = parse(&["--key-env", "PATH", "--to", "rtmp://a/b"]);
        assert!(matches!(early, Err((_, Exit::Usage))));
        let twice = parse(&["--to", "rtmp://a/b", "--key-env", "PATH", "--key-env", "PATH"]);
        assert!(matches!(twice, Err((_, Exit::Usage))));
        let absent = parse(&["--to", "rtmp://a/b", "--key-env", "ONAIR_NO_SUCH_VARIABLE"]);
        let Err((why, Exit::File)) = absent else { panic!("{absent:?}") };
        assert!(why.to_string().contains("ONAIR_NO_SUCH_VARIABLE"), "{why}");
        let key = parse(&["--to", "rtmp://a/b", "--key-env", "live_0penKey"]);
        let Err((why, Exit::File)) = key else { panic!("{key:?}") };
        assert!(!why.to_string().contains("0penKey"), "{why}");
        let absent = parse(&["--to", "rtmp://a/b", "--key-file", "/nonexistent/key"]);
        assert!(matches!(absent, Err((_, Exit::File))));
    }
}

//! The key of a server at which studios and their guests meet: flags, or the table `[meeting]` of a file.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;

use crate::cli::live::targets::KeySource;
use crate::cli::output::exit::Exit;
use crate::cli::serve::args::Args;
use crate::server::Meeting;
use crate::text::Problem;
use crate::text::problem::problem;

/// Minimum length of the key, which anybody on the internet may try to guess.
const MIN_KEY_BYTES: usize = 12;

/// The table `[meeting]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::cli::serve) struct MeetingTable {
    key_file: Option<PathBuf>,
    key_env: Option<String>,
}

impl MeetingTable {
    /// Completes the flags, which come first.
    ///
    /// # Errors
    /// Fails if the table has two keys.
    pub(in crate::cli::serve) fn complete(self, args: &mut Args) -> Result<(), Problem> {
        if args.meet_key_env.is_some() || args.meet_key_file.is_some() {
            return Ok(());
        }
        if self.key_file.is_some() && self.key_env.is_some() {
            let reason = problem!("relay-two-keys");
            return Err(problem!("value-in", path = "meeting", reason = reason));
        }
        (args.meet_key_file, args.meet_key_env) = (self.key_file, self.key_env);
        Ok(())
    }
}

/// Returns the place of studios and guests, if there is a key.
///
/// # Errors
/// Fails if the key cannot be read or is too short.
pub(in crate::cli::serve) fn read(args: &Args) -> Result<Option<Arc<Meeting>>, (Problem, Exit)> {
    let source = args.meet_key_env.clone().map(KeySource::Env);
    let source = source.or_else(|| args.meet_key_file.clone().map(KeySource::File));
    let key = source.map(|source| source.read()).transpose()?;
    if key.as_ref().is_some_and(|key| key.expose().len() < MIN_KEY_BYTES) {
        return Err((problem!("serve-meeting-key", least = MIN_KEY_BYTES), Exit::File));
    }
    Ok(key.map(|key| Arc::new(Meeting::new(key))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_meeting_is_long_and_comes_from_one_place() {
        let file = |key: &str| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), key).unwrap();
            let args = Args { meet_key_file: Some(file.path().into()), ..Args::default() };
            read(&args).map(|it| it.is_some()).map_err(|(why, exit)| (why.to_string(), exit))
        };
        assert_eq!(file("a long key of a meeting\n"), Ok(true));
        let (why, exit) = file("short").unwrap_err();
        assert!(why.contains("12") && exit == Exit::File, "{why}");
        assert_eq!(read(&Args::default()).map(|it| it.is_some()).ok(), Some(false));
        let table = |file: Option<&str>, env: Option<&str>| MeetingTable {
            key_file: file.map(Into::into),
            key_env: env.map(Into::into),
        };
        let mut args = Args::default();
        assert!(table(Some("a"), Some("B")).complete(&mut args).is_err());
        table(None, Some("B")).complete(&mut args).unwrap();
        table(Some("a"), None).complete(&mut args).unwrap();
        assert_eq!((args.meet_key_env.as_deref(), args.meet_key_file), (Some("B"), None));
    }
}

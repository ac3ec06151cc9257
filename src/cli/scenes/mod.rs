//! `onair scenes`: imports scene collections, without a window.

pub mod parts;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::base::Clock;
use crate::cli::flags::Globals;
use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::cli::output::progress::Progress;
use crate::studio::notices::message::StudioMessage;
use crate::studio::settings::lock::{Claimed, SettingsLock};
use crate::studio::settings::part::PartKind;
use crate::studio::settings::part::files::PartFiles;
use crate::studio::settings::scenes::collection;
use crate::studio::settings::{default_path, keys_beside};
use crate::studio::{AudioStrip, Settings, keep_addresses};
use crate::text::problem::{Problem, problem};

/// Time limit for storing secrets. The limit is long because a keyring may request a password
/// first.
const SECRET_STORAGE_TIMEOUT: Duration = Duration::from_secs(60);

/// The time that another onair process may take to write the settings.
const SETTINGS_LOCK_TIMEOUT: Duration = Duration::from_secs(1);

/// The commands for scenes.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Sub,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Sub {
    /// Add the scenes and audio strips of a file to the settings (--settings or your own), or write
    /// them to the --to file
    Import {
        /// Scene collection from onair (TOML or JSON) or from OBS (JSON)
        file: PathBuf,
        /// Write the collection to this file instead: .toml or .json
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

/// Runs the command.
pub fn run(args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let Sub::Import { file, to } = &args.command;
    let output = Output::new(clock, globals.json);
    let shown = Progress::of_events(&output, file.display().to_string());
    let imported = import(file, to.as_ref(), globals);
    drop(shown);
    match imported {
        Ok(import) => {
            let collection = &import.collection;
            let scenes: Vec<&str> = collection.scenes.iter().map(|it| it.name.as_str()).collect();
            let sources: Vec<_> = collection
                .sources
                .iter()
                .map(|it| json!({"name": it.name, "source": collection::shown(it.choice.to_string())}))
                .collect();
            let strips: Vec<_> = import
                .strips
                .iter()
                .map(|it| json!({"name": it.name, "source": collection::shown(it.choice.to_string())}))
                .collect();
            let language = output.language();
            let left_out: Vec<_> = import.left_out.iter().map(|it| language.say(it)).collect();
            let fields = json!({"scenes": scenes, "sources": sources, "strips": strips,
                                "left_out": left_out});
            output.event("scenes", fields, || {
                let mut lines = vec![output.say(&problem!("out-scenes", names = &scenes))];
                let describe = |it: &AudioStrip| {
                    format!("{} ({})", it.name, collection::shown(it.choice.to_string()))
                };
                let strips: Vec<String> = import.strips.iter().map(describe).collect();
                if !strips.is_empty() {
                    lines.push(output.say(&problem!("out-strips", names = &strips)));
                }
                lines.extend(
                    left_out
                        .iter()
                        .map(|what| output.say(&problem!("out-not-imported", what = what))),
                );
                Some(lines.join("\n"))
            });
            Exit::Ok
        }
        Err(why) => output.refuse(&why, Exit::File),
    }
}

fn failed(path: &std::path::Path) -> impl Fn(Problem) -> Problem {
    move |why| problem!("source-file", path = path.display().to_string(), reason = why)
}

/// Refuses to replace a file, and names that do not state the format of the new file.
fn check_new(path: &std::path::Path, kind: PartKind) -> Result<(), Problem> {
    let shown = || path.display().to_string();
    let kinds: &[&str] = match kind {
        PartKind::Collection => &[".toml", ".json"],
        PartKind::Profile => &[".toml"],
    };
    let extension = path.extension().unwrap_or_default();
    let fits = |end: &&str| extension.eq_ignore_ascii_case(end.trim_start_matches('.'));
    if !kinds.iter().any(fits) {
        return Err(problem!("cli-export-name", path = shown(), kinds = kinds));
    }
    match path.symlink_metadata() {
        Ok(_) => Err(problem!("remux-exists", path = shown())),
        Err(_) => Ok(()),
    }
}

fn import(
    file: &std::path::Path,
    to: Option<&PathBuf>,
    globals: &Globals,
) -> Result<collection::Import, Problem> {
    let mut import = collection::import(file).map_err(failed(file))?;
    if let Some(to) = to {
        check_new(to, PartKind::Collection)?;
        collection::export(&import.collection, &import.strips, to).map_err(failed(to))?;
        return Ok(import);
    }
    let path = globals.settings.clone().or_else(default_path);
    let path = path.ok_or_else(|| problem!("cli-no-settings-place"))?;
    let not_saved = |cause: &io::Error| StudioMessage::settings_not_saved(&path, cause).problem();
    let claimed = SettingsLock::claim(&path, SETTINGS_LOCK_TIMEOUT);
    let _lock = match claimed.map_err(|error| not_saved(&error))? {
        Claimed::Ours(lock) => lock,
        // The other process would overwrite these settings.
        Claimed::Theirs(_) => return Err(problem!("cli-settings-in-use")),
    };
    let (mut settings, warnings) = Settings::read(&path);
    if let Some(warning) = warnings.first() {
        // Writing would lose the values that could not be read.
        return Err(failed(&path)(warning.clone()));
    }
    let main = settings.audio.clone();
    import.give(&mut settings.collection, &mut settings.strips, main.as_ref());
    // Passwords in addresses are not written to the settings file.
    settings.keyring_addresses.taken = Some(PartFiles::beside(&path).address_names(&settings));
    let keys = keys_beside(&path);
    keep_addresses(&settings, keys, SECRET_STORAGE_TIMEOUT)
        .map_err(|reason| problem!("key-not-kept", reason = reason))?;
    settings.write(&path).map_err(|error| not_saved(&error.cause))?;
    Ok(import)
}

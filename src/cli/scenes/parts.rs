//! `onair collections` and `onair profiles`: list, import and export the collections and profiles
//! next to the settings file.

use std::path::PathBuf;

use serde_json::json;

use crate::base::Clock;
use crate::cli::flags::Globals;
use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::cli::scenes::{SECRET_STORAGE_TIMEOUT, check_new, failed};
use crate::studio::settings::part::PartKind;
use crate::studio::settings::part::exchange;
use crate::studio::settings::part::files::PartFiles;
use crate::studio::settings::{default_path, keys_beside};
use crate::studio::{Settings, keep_keys};
use crate::text::problem::{Problem, problem};

/// Flags of `onair collections` and `onair profiles`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Sub>,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum Sub {
    /// Import an onair or OBS file. onair does not switch to the imported collection or profile until
    /// you choose it
    Import {
        /// A file from `export`, an OBS scene collection (JSON), or an OBS profile (folder or basic.ini)
        file: PathBuf,
        /// Store the stream key of an OBS profile too
        #[arg(long)]
        with_key: bool,
    },
    /// Export to a file that you can share, without keys and passwords
    Export {
        /// Name of the collection or profile
        name: String,
        /// The new file: .toml, and for a collection also .json
        file: PathBuf,
    },
}

/// Runs the command.
pub fn run(kind: PartKind, args: &Args, globals: &Globals, clock: Clock) -> Exit {
    let output = Output::new(clock, globals.json);
    match carry_out(kind, args, globals, &output) {
        Ok(()) => Exit::Ok,
        Err(why) => output.refuse(&why, Exit::File),
    }
}

fn carry_out(
    kind: PartKind,
    args: &Args,
    globals: &Globals,
    output: &Output,
) -> Result<(), Problem> {
    let path = globals.settings.clone().or_else(default_path);
    let path = path.ok_or_else(|| problem!("cli-no-settings-place"))?;
    globals.check_settings(&path)?;
    let (mut settings, warnings) = Settings::read(&path);
    let files = PartFiles::beside(&path);
    match &args.command {
        None => {
            list(kind, &files.names(kind, &settings), settings.in_use.name(kind), output);
            Ok(())
        }
        Some(Sub::Import { file, with_key }) => {
            let import = exchange::read(kind, file).map_err(failed(file))?;
            // Passwords in addresses are not written to the file.
            let kept = import.addresses().chain(import.keys().filter(|_| *with_key));
            keep_keys(kept, keys_beside(&path), SECRET_STORAGE_TIMEOUT)
                .map_err(|why| problem!("key-not-kept", reason = why))?;
            let name = exchange::import(&files, kind, &import, &settings)?;
            let language = output.language();
            let left_out: Vec<_> = import.left_out.iter().map(|it| language.say(it)).collect();
            let fields = json!({"kind": kind.word(), "name": name, "left_out": left_out});
            output.event("imported", fields, || {
                let mut lines = vec![name.clone()];
                lines.extend(
                    left_out
                        .iter()
                        .map(|what| output.say(&problem!("out-not-imported", what = what))),
                );
                Some(lines.join("\n"))
            });
            Ok(())
        }
        Some(Sub::Export { name, file }) => {
            check_new(file, kind)?;
            let in_use = settings.in_use.name(kind).to_owned();
            let borrowed = files.borrow(kind, name, &mut settings)?;
            let is_in_use = settings.in_use.name(kind) == in_use;
            let warnings = if is_in_use { warnings } else { borrowed };
            // The settings file also contains values that are not exported.
            if let Some(why) = warnings.iter().find(|why| !is_in_use || kind.may_have(why)) {
                // The new file would lack the values that could not be read.
                return Err(problem!("part-unreadable", name = name, reason = why));
            }
            exchange::export(kind, &settings, file).map_err(failed(file))?;
            let shown = file.display().to_string();
            let fields = json!({"kind": kind.word(), "name": name, "path": shown});
            output.event("exported", fields, || None);
            Ok(())
        }
    }
}

fn list(kind: PartKind, names: &[String], in_use: &str, output: &Output) {
    let fields = json!({"kind": kind.word(), "names": names, "in_use": in_use});
    let event = match kind {
        PartKind::Collection => "collections",
        PartKind::Profile => "profiles",
    };
    output.event(event, fields, || {
        let line = |name: &String| format!("{} {name}", if name == in_use { '*' } else { ' ' });
        Some(names.iter().map(line).collect::<Vec<_>>().join("\n"))
    });
}

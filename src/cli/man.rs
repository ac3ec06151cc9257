//! `onair man`: the manual pages, from the same definition as the command line.

use std::path::{Path, PathBuf};

use clap::Command;
use clap_mangen::Man;

use crate::cli::output::exit::Exit;
use crate::cli::output::{complain, raw};
use crate::files::Trouble;
use crate::text::problem::problem;

/// Arguments of `onair man`.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Command, with its subcommand if it has one: `live`, `scenes import` [default: onair itself]
    #[arg(value_name = "COMMAND", conflicts_with = "all")]
    pub command: Vec<String>,
    /// Write the pages of onair and all its commands to this folder (onair.1, onair-live.1…)
    #[arg(long, value_name = "FOLDER")]
    pub all: Option<PathBuf>,
}

/// Prints a page of `onair`, or writes all pages.
pub fn run(args: &Args, onair: Command) -> Exit {
    if let Some(folder) = &args.all {
        let onair = built(onair);
        return match std::fs::create_dir_all(folder).and_then(|()| write_all(&onair, folder)) {
            Ok(()) => Exit::Ok,
            Err(error) => {
                let (folder, reason) = (folder.display().to_string(), Trouble::problem(&error));
                complain(problem!("cli-man-folder", folder = folder, reason = reason));
                Exit::File
            }
        };
    }
    let Some(page) = page(&args.command, onair) else {
        complain(problem!("cli-no-command", name = args.command.join(" ")));
        return Exit::Usage;
    };
    let mut text = Vec::new();
    match page.render(&mut text) {
        Ok(()) => raw(&text),
        Err(_) => Exit::Error,
    }
}

/// Returns the complete definition of all commands, without the command `help`.
fn built(onair: Command) -> Command {
    let mut onair = onair.disable_help_subcommand(true);
    onair.build();
    onair
}

/// Writes the pages of a command and its subcommands.
fn write_all(command: &Command, folder: &Path) -> std::io::Result<()> {
    for subcommand in command.get_subcommands().filter(|it| !it.is_hide_set()) {
        write_all(subcommand, folder)?;
    }
    page_of(command).generate_to(folder).map(|_| ())
}

/// Returns the page of a nested command, or `None` if there is no such command.
fn page(names: &[String], onair: Command) -> Option<Man> {
    let onair = built(onair);
    let found = names.iter().try_fold(&onair, |at: &Command, name| at.find_subcommand(name))?;
    Some(page_of(found))
}

/// Returns the page of a command of the complete definition, with the version of onair. (A version
/// in the definition would add `--version` to each command.)
fn page_of(command: &Command) -> Man {
    let version = env!("CARGO_PKG_VERSION");
    Man::new(command.clone().version(version)).source(format!("onair {version}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_page_of_a_command_names_the_version_and_lists_no_flag_for_it() {
        for names in [&[][..], &["live".to_owned()], &["scenes".to_owned(), "import".to_owned()]] {
            let mut text = Vec::new();
            page(names, Cli::command()).unwrap().render(&mut text).unwrap();
            let text = String::from_utf8(text).unwrap();
            let source = format!("\"onair {}\"", env!("CARGO_PKG_VERSION"));
            assert!(text.contains(&source), "{names:?}: {text}");
            assert_eq!(text.contains("\\-\\-version"), names.is_empty(), "{names:?}");
        }
        assert!(page(&["lvie".to_owned()], Cli::command()).is_none());
    }
}

//! `onair man`: the manual pages, from the same definition as the command line.

use std::path::PathBuf;

use clap::Command;
use clap_mangen::Man;

use crate::cli::output::exit::Exit;
use crate::cli::output::{complain, raw};

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
        let written =
            std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(onair, folder));
        return match written {
            Ok(()) => Exit::Ok,
            Err(error) => {
                let folder = folder.display();
                complain(format!("the pages cannot be written into {folder}: {error}"));
                Exit::File
            }
        };
    }
    let Some(page) = page(&args.command, onair) else {
        let name = args.command.join(" ");
        complain(format!("there is no command '{name}': onair help names them"));
        return Exit::Usage;
    };
    let mut text = Vec::new();
    match page.render(&mut text) {
        Ok(()) => raw(&text),
        Err(_) => Exit::Error,
    }
}

/// Returns the page of a nested command, or `None` if there is no such command.
fn page(names: &[String], onair: Command) -> Option<Man> {
    let mut onair = onair.disable_help_subcommand(true);
    onair.build();
    let found = names.iter().try_fold(&onair, |at: &Command, name| at.find_subcommand(name))?;
    Some(Man::new(found.clone()))
}

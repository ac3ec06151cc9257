//! Floor 7: the command line, the same studio without a window. Names, defaults, JSON fields and
//! exit codes are public interfaces; see `onair help` and docs/reference/events.md.

pub mod check;
pub mod control;
pub mod devices;
pub mod flags;
pub mod live;
pub mod man;
pub mod output;
pub mod play;
pub mod probe;
pub mod process;
pub mod remux;
pub mod scenes;
pub mod serve;
pub mod window;

use clap::{CommandFactory, Parser, Subcommand};

pub use flags::Globals;
pub use output::exit::Exit;

/// A streaming studio that captures, sends, serves and watches.
#[derive(Debug, Parser)]
#[command(name = "onair", version, about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 ended as asked · 1 other error · 2 usage · 3 settings, input \
    or output file · 4 device · 5 codec · 6 unreachable · 7 refused · 8 lost and not regained · \
    9 no such stream"
)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Option<Sub>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Sub {
    /// Open the studio window (what `onair` alone does)
    Studio,
    /// Broadcast without a window
    Live(Box<live::Args>),
    /// Run the built-in server alone
    Serve(serve::Args),
    /// Pull a stream or file and show it
    Play(play::Args),
    /// Tell what is in a stream or file, as JSON
    Probe(probe::Args),
    /// Put the packets of a recording into another file format, as they are
    Remux(remux::RemuxArgs),
    /// Make a recording whole that was cut off
    Repair(remux::RepairArgs),
    /// Take scene collections in, also those of OBS
    Scenes(scenes::Args),
    /// List cameras, sound devices, applications that play, screens and windows
    Devices,
    /// Try a target stage by stage without going live
    Check(check::Args),
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, of onair or of one of its commands
    Man(man::Args),
}

/// Prints the completions of a shell.
pub fn completions(shell: clap_complete::Shell) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "onair", &mut text);
    output::raw(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }
}

//! Floor 7: the command line, which runs the same studio without a window. Names, defaults, JSON
//! fields and exit codes are public interfaces; see `onair help` and docs/reference/events.md.

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

use std::ffi::OsString;

use clap::{CommandFactory, Parser, Subcommand};

pub use flags::Globals;
pub use output::exit::Exit;

/// A live-streaming studio: capture, stream, serve and watch.
#[derive(Debug, Parser)]
#[command(name = "onair", version, about, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 success · 1 other error · 2 invalid command line · 3 settings, input \
    or output file · 4 device · 5 codec · 6 unreachable · 7 refused · 8 connection lost · \
    9 no such stream"
)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Option<Sub>,
}

/// Commands of `onair`.
#[derive(Debug, Subcommand)]
pub enum Sub {
    /// Open the studio window, like `onair` without a command
    Studio(window::Args),
    /// Broadcast without a window
    Live(Box<live::args::Args>),
    /// Run only the built-in server
    Serve(Box<serve::Args>),
    /// Play a stream or file
    Play(play::Args),
    /// Describe a stream or file as JSON
    Probe(probe::Args),
    /// Convert a recording to another file format without encoding
    Remux(remux::RemuxArgs),
    /// Repair an unfinished recording
    Repair(remux::RepairArgs),
    /// Import onair or OBS scene collections
    Scenes(scenes::Args),
    /// List, import or export the scene collections in the settings
    Collections(scenes::parts::Args),
    /// List, import or export the profiles in the settings
    Profiles(scenes::parts::Args),
    /// List devices, applications with audio, displays, windows and codecs
    Devices,
    /// List the audio plugins (CLAP) that strips can use as filters
    Plugins,
    /// Check a target or this computer without going live
    Check(check::Args),
    /// Print shell completions
    Completions {
        /// Shell that uses the completions
        shell: clap_complete::Shell,
    },
    /// Print the manual page of onair or of one command
    Man(man::Args),
}

/// Removes `--help` after `help`, which clap would take for the name of a command.
pub fn without_repeated_help(mut words: Vec<OsString>) -> Vec<OsString> {
    if words.get(1).is_some_and(|word| word == "help") {
        words.retain(|word| word != "--help" && word != "-h");
    }
    words
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

    #[test]
    fn shells_complete_sources_modes_and_languages() {
        let mut cli = Cli::command();
        cli.build();
        for (name, flag, value) in [
            ("live", "video", "test"),
            ("live", "audio", "tone"),
            ("live", "adapt", "off"),
            ("live", "lang", "zh-CN"),
            ("check", "video", "test"),
        ] {
            let command = cli.find_subcommand(name).unwrap();
            let arg = command.get_arguments().find(|arg| arg.get_id() == flag).unwrap();
            let known = arg.get_possible_values();
            assert!(known.iter().any(|it| it.get_name() == value), "{name} --{flag}");
            // The text of the help explains the values.
            assert!(arg.is_hide_possible_values_set(), "{name} --{flag}");
        }
    }

    #[test]
    fn suggestions_are_not_listed_as_the_only_values() {
        for flag in ["--video", "--audio", "--service"] {
            let error = Cli::command().try_get_matches_from(["onair", "live", flag]).unwrap_err();
            let text = output::without_suggestions(error).render().to_string();
            assert!(text.contains(flag) && !text.contains("possible values"), "{text}");
        }
    }

    #[test]
    fn help_of_help_is_help() {
        let help = |words: &[&str]| {
            let words = words.iter().map(OsString::from).collect();
            let answer = Cli::command().try_get_matches_from(without_repeated_help(words));
            let answer = answer.unwrap_err();
            assert_eq!(answer.kind(), clap::error::ErrorKind::DisplayHelp);
            answer.to_string()
        };
        assert_eq!(help(&["onair", "help", "--help"]), help(&["onair", "help"]));
        assert_eq!(help(&["onair", "help", "live", "-h"]), help(&["onair", "help", "live"]));
    }

    #[test]
    fn the_help_of_a_command_lists_its_own_flags_before_the_global_ones() {
        let mut cli = Cli::command();
        cli.build();
        for name in ["check", "probe", "remux"] {
            let help = cli.find_subcommand(name).unwrap().clone().render_help().to_string();
            let place = |flag: &str| help.find(flag).unwrap_or_else(|| panic!("{flag}: {help}"));
            let own = if name == "remux" { "--drop <" } else { "--proxy <" };
            assert!(place(own) < place("--json") && place("--log-format") < place("--help"));
        }
    }

    /// Tests that the help texts keep their columns in a terminal of 100 columns.
    #[test]
    fn the_commands_of_control_are_listed_in_lines_that_do_not_wrap() {
        let cli = Cli::command();
        for name in ["live", "play"] {
            let command = cli.find_subcommand(name).unwrap();
            let control = command.get_arguments().find(|it| it.get_id() == "control").unwrap();
            let help = control.get_long_help().unwrap().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 86, "{line}");
            }
        }
    }

    /// Tests that the window accepts everything that a desktop passes to it.
    #[test]
    fn the_desktop_entry_hands_over_what_the_window_plays() {
        let entry = include_str!("../../packaging/desktop/onair.desktop");
        let value = |name: &str| entry.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let types = value("MimeType=").trim_end_matches(';').split(';');
        let schemes: Vec<_> = types.filter_map(|it| it.strip_prefix("x-scheme-handler/")).collect();
        let urls = schemes.iter().map(|scheme| format!("{scheme}://host/live/show"));
        let urls: Vec<String> = urls.chain(["file:///films/a%20film.flv".to_owned()]).collect();
        for url in &urls[..schemes.len()] {
            assert!(crate::wire::rtmp::url::Url::parse(url).is_ok(), "{url}");
        }
        let words = value("Exec=").split(' ').flat_map(|word| match word {
            "%U" => urls.clone(),
            word => vec![word.to_owned()],
        });
        let cli = Cli::try_parse_from(words).unwrap();
        let Some(Sub::Studio(args)) = cli.command else { panic!("{cli:?}") };
        assert_eq!(args.open, urls);
    }
}

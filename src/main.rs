//! The `onair` program: reads the command line and hands over to `cli/` or the window.

use clap::{CommandFactory, FromArgMatches};
use onair::base::{Clock, sandbox};
use onair::cli;
use onair::cli::{Cli, Exit, Sub};
use onair::studio::engine::system::crash_reports;
use onair::studio::notices::message::StudioMessage;
use onair::studio::settings::part::PartKind;
use onair::text::Problem;

fn main() -> Exit {
    // Before the console, because Ctrl+C would end the encoder before the broadcast.
    onair::cli::process::encoder::run();
    onair::platform::console::attach();
    onair::app::run_file_dialog();
    #[cfg(target_os = "linux")]
    onair::cli::process::browser::run();
    #[cfg(target_os = "linux")]
    onair::cli::process::plugin::run();
    let clock = Clock::start();
    let words = || std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    onair::cli::output::redact::remember(words());
    let arguments = cli::without_repeated_help(std::env::args_os().collect());
    let matches = match Cli::command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(answer) => {
            let (language, json) = cli::flags::language_of(words());
            onair::cli::output::speak(language, json);
            return onair::cli::output::answer(answer);
        }
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let window = match &cli.command {
        None | Some(Sub::Studio(_)) => true,
        Some(Sub::Play(args)) => !args.headless,
        _ => false,
    };
    // The launcher must start before the first thread and before the sandbox.
    if matches!(
        &cli.command,
        None | Some(Sub::Studio(_) | Sub::Live(_) | Sub::Devices | Sub::Plugins | Sub::Check(_))
    ) {
        onair::cli::process::encoder::prepare();
    }
    if window {
        onair::platform::console::show_errors();
        onair::app::draw_on_one_thread();
    }
    onair::cli::output::speak(cli.globals.lang, cli.globals.json);
    match onair::cli::process::log::start(&cli.globals.log, cli.globals.log_format) {
        Ok(last_lines) => {
            let folder = crash_reports::default_folder();
            if let Some(folder) = &folder {
                sandbox::crash_folder(folder);
            }
            onair::cli::process::crash::install(folder, last_lines);
        }
        Err(why) => return refuse(&cli, clock, &why, Exit::Usage),
    }
    let globals = &cli.globals;
    let command = match &cli.command {
        Some(Sub::Play(args)) if args.headless => Some("play --headless"),
        _ => matches.subcommand_name(),
    };
    if let Err(why) = globals.check_use(command) {
        return refuse(&cli, clock, &why, Exit::Usage);
    }
    let runs_media = matches!(
        &cli.command,
        None | Some(Sub::Studio(_) | Sub::Live(_) | Sub::Serve(_) | Sub::Play(_))
    );
    if runs_media && let Err(why) = onair::cli::process::limits::check() {
        return refuse(&cli, clock, &why, Exit::Error);
    }
    if runs_media {
        onair::platform::clocks::wait_exactly();
    }
    // With a window, the programs that the desktop opens would inherit the restrictions.
    if !window {
        sandbox::process();
    }
    let descriptors = onair::net::listener::descriptors::limit();
    tracing::debug!(descriptors, "limit of open descriptors");
    if words().any(|word| onair::cli::output::redact::has_password(&word)) {
        warn_of_password(&cli, clock);
    }
    let exit = match &cli.command {
        None => onair::cli::window::run(&onair::cli::window::Args::default(), globals, clock),
        Some(Sub::Studio(args)) => onair::cli::window::run(args, globals, clock),
        Some(Sub::Live(args)) => {
            let matches = matches.subcommand_matches("live").unwrap_or(&matches);
            onair::cli::live::run(args, matches, globals, clock)
        }
        Some(Sub::Serve(args)) => onair::cli::serve::run(args, globals, clock),
        Some(Sub::Play(args)) => onair::cli::play::run(args, globals, clock),
        Some(Sub::Probe(args)) => onair::cli::probe::run(args, globals, clock),
        Some(Sub::Remux(args)) => onair::cli::remux::run(args, globals, clock),
        Some(Sub::Repair(args)) => onair::cli::remux::run_repair(args, globals, clock),
        Some(Sub::Scenes(args)) => onair::cli::scenes::run(args, globals, clock),
        Some(Sub::Collections(args)) => {
            onair::cli::scenes::parts::run(PartKind::Collection, args, globals, clock)
        }
        Some(Sub::Profiles(args)) => {
            onair::cli::scenes::parts::run(PartKind::Profile, args, globals, clock)
        }
        Some(Sub::Devices) => onair::cli::devices::run(globals, clock),
        Some(Sub::Plugins) => onair::cli::devices::plugins::run(globals, clock),
        Some(Sub::Check(args)) => onair::cli::check::run(args, globals, clock),
        Some(Sub::Completions { shell }) => cli::completions(*shell),
        Some(Sub::Man(args)) => onair::cli::man::run(args, Cli::command()),
    };
    onair::cli::output::standard_error::flush();
    onair::cli::output::settle(exit)
}

/// Prints the reason why a command does not start, also in the last line of a command that prints
/// events.
fn refuse(cli: &Cli, clock: Clock, why: &Problem, exit: Exit) -> Exit {
    match &cli.command {
        Some(
            Sub::Live(_)
            | Sub::Serve(_)
            | Sub::Play(_)
            | Sub::Remux(_)
            | Sub::Repair(_)
            | Sub::Scenes(_)
            | Sub::Collections(_)
            | Sub::Profiles(_),
        ) => onair::cli::output::Output::new(clock, cli.globals.json).refuse(why, exit),
        _ => {
            onair::cli::output::complain(why.clone());
            exit
        }
    }
}

/// Warns that a password is on the command line. (A separate warning covers stream keys.)
fn warn_of_password(cli: &Cli, clock: Clock) {
    let message = StudioMessage::PasswordVisible {};
    match &cli.command {
        Some(Sub::Live(_) | Sub::Play(_) | Sub::Check(_) | Sub::Serve(_)) => {
            let output = onair::cli::output::Output::new(clock, cli.globals.json);
            onair::cli::output::events::print_message(&output, &message);
        }
        // The standard output of the other commands is their result.
        _ => onair::cli::output::complain(message.problem()),
    }
}

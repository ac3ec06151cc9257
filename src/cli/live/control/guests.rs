//! Parses `--control` lines for guests: `guest invite`, `guest admit g1`.

use crate::cli::control::split;
use crate::cli::live::args::control_syntax;
use crate::studio::Snapshot;
use crate::studio::command::GuestCommand;
use crate::text::Problem;
use crate::text::problem::problem;

/// Parses the line without its first word.
///
/// # Errors
/// Fails with the syntax of these lines.
pub fn parse(text: &str) -> Result<GuestCommand, Problem> {
    let (word, id) = split(text);
    let of = |command: fn(String) -> GuestCommand| command(id.to_owned());
    match (word, id.is_empty()) {
        ("list", true) => Ok(GuestCommand::List),
        ("invite", true) => Ok(GuestCommand::Invite),
        ("admit", false) => Ok(of(GuestCommand::Admit)),
        ("dismiss", false) => Ok(of(GuestCommand::Dismiss)),
        ("remove", false) => Ok(of(GuestCommand::Remove)),
        ("mute", false) => Ok(GuestCommand::Mute(id.to_owned(), true)),
        ("unmute", false) => Ok(GuestCommand::Mute(id.to_owned(), false)),
        ("hide", false) => Ok(GuestCommand::Hide(id.to_owned(), true)),
        ("show", false) => Ok(GuestCommand::Hide(id.to_owned(), false)),
        ("tag", false) => match split(id) {
            (id, "on") => Ok(GuestCommand::Tag(id.to_owned(), true)),
            (id, "off") => Ok(GuestCommand::Tag(id.to_owned(), false)),
            _ => Err(problem!("control-write", syntax = control_syntax("guest "))),
        },
        _ => Err(problem!("control-write", syntax = control_syntax("guest "))),
    }
}

/// Checks that the guest of a command exists.
///
/// # Errors
/// Fails with the ids of all guests.
pub fn check(command: &GuestCommand, snapshot: &Snapshot) -> Result<(), Problem> {
    let id = match command {
        GuestCommand::Invite | GuestCommand::List | GuestCommand::Meet(..) => return Ok(()),
        GuestCommand::Admit(id)
        | GuestCommand::Dismiss(id)
        | GuestCommand::Remove(id)
        | GuestCommand::Mute(id, _)
        | GuestCommand::Hide(id, _)
        | GuestCommand::Tag(id, _) => id,
    };
    if snapshot.guests.iter().any(|guest| guest.id == *id) {
        return Ok(());
    }
    let known: Vec<&str> = snapshot.guests.iter().map(|guest| guest.id.as_str()).collect();
    Err(problem!("control-no-guest", id = id, known = &known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_about_a_guest_needs_the_guest() {
        assert_eq!(parse("invite"), Ok(GuestCommand::Invite));
        assert_eq!(parse("mute g2"), Ok(GuestCommand::Mute("g2".into(), true)));
        assert_eq!(parse("tag g2 off"), Ok(GuestCommand::Tag("g2".into(), false)));
        for wrong in ["", "admit", "invite g1", "kick g1", "tag g1", "tag g1 up"] {
            let why = parse(wrong).unwrap_err().to_string();
            assert!(why.contains("guest list|invite"), "{why}");
        }
        let why = check(&GuestCommand::Admit("g1".into()), &Snapshot::default()).unwrap_err();
        assert_eq!(why.id(), "control-no-guest");
    }
}

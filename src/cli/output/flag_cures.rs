//! Cures that name flags, in place of cures for the window, and the problems of targets that they
//! cure.

use crate::text::problem::{Problem, problem};

/// Returns a problem with a cure that names flags, where the cure for the window does not help.
pub fn with_flags(problem: &Problem) -> Problem {
    let cure = match problem.id() {
        "no-target" => problem!("cli-cure-no-target"),
        // Commands without a window do not save the settings.
        "settings-bad" => problem!("cli-cure-settings"),
        "tracks-left-out" => problem!("cli-cure-tracks"),
        _ if has_target_cure(problem) => problem!("cli-cure-target"),
        _ => return problem.clone(),
    };
    problem.clone().with_cure(cure)
}

/// Returns true if the cure of a problem describes the fields for a target's address and key.
fn has_target_cure(problem: &Problem) -> bool {
    let has_cure = |it: &Problem| {
        let cure = it.own_cure().map(Problem::id);
        cure == Some("target-cure-address") && it.id() != "target-built-in-off"
    };
    has_cure(problem) || problem.inner().any(has_cure)
}

/// Returns true if a target in the settings has an invalid address or route, or no stream key.
pub fn is_target_invalid(problem: &Problem) -> bool {
    let is_invalid = |it: &Problem| {
        let id = it.id();
        id == "target-key-missing" || id.starts_with("url-") || id.starts_with("route-")
    };
    // A problem that is deeper inside is about the address to which a server redirects onair.
    is_invalid(problem) || problem.inner().any(is_invalid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problems::ToProblem;
    use crate::studio::notices::message::StudioMessage;
    use crate::text::Language;
    use crate::wire::rtmp::url::Url;

    #[test]
    fn cures_fit_commands_without_a_window() {
        let path = "q.flv".to_owned();
        let tracks = StudioMessage::TracksLeftOut { path }.problem();
        let reason = problem!("io-not-found");
        let settings = StudioMessage::SettingsBad { reason }.problem();
        for (problem, expected) in [(tracks, ".mkv"), (settings, "Correct the file.")] {
            let cure = Language::English.cure(&with_flags(&problem)).unwrap();
            assert!(cure.contains(expected) && !cure.contains("save"), "{cure}");
        }
    }

    #[test]
    fn a_target_without_a_key_names_the_flags_for_the_key() {
        let cause = |reason: Problem| reason.with_cure(problem!("target-cure-address"));
        let failed = |cause: Problem| {
            let (id, host) = (0, "live.example".to_owned());
            StudioMessage::FoundTargetFailed { id, host, cause, pin: None }.problem()
        };
        let key = cause(problem!("target-key-missing"));
        for problem in [key.clone(), failed(key)] {
            assert!(is_target_invalid(&problem));
            for language in Language::ALL {
                let cure = language.cure(&with_flags(&problem)).unwrap();
                assert!(cure.contains("--key-file"), "{cure}");
            }
        }
        for other in [failed(problem!("net-no-answer", seconds = "10")), problem!("no-target")] {
            assert!(!is_target_invalid(&other));
        }
        let off = failed(cause(problem!("target-built-in-off")));
        assert!(!is_target_invalid(&off) && with_flags(&off) == off);
    }

    #[test]
    fn a_target_with_an_invalid_address_or_route_is_invalid() {
        // The addresses of other protocols have their own cures.
        let web = Url::parse("http://h/app").err().unwrap().to_problem();
        assert!(web.own_cure().is_some() && is_target_invalid(&web));
        assert!(is_target_invalid(&problem!("route-bind")));
    }
}

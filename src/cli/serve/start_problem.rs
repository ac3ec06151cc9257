//! The problem of a server that does not start, with the cure for its cause.

use std::io;

use crate::files::Trouble;
use crate::text::problem::{Problem, problem};

/// Returns `problem` with the cure for the system error that caused it. Another address does not
/// help if the system lacks memory or threads, or if the error is not from the system.
pub(super) fn with_cure(problem: Problem, error: &io::Error) -> Problem {
    if Trouble::of(error) == Trouble::TooManyFiles {
        return problem.with_cure(problem!("cli-cure-few-files"));
    }
    match error.kind() {
        io::ErrorKind::OutOfMemory | io::ErrorKind::WouldBlock | io::ErrorKind::Other => problem,
        _ => problem!("cli-listen", reason = problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;

    #[test]
    fn another_address_is_no_cure_for_too_many_files() {
        for (code, cure) in [
            (libc::EADDRINUSE, Some("Choose another address")),
            (libc::EADDRNOTAVAIL, Some("Choose another address")),
            (libc::EACCES, Some("Choose another address")),
            (libc::EAFNOSUPPORT, Some("Choose another address")),
            (libc::EINVAL, Some("Choose another address")),
            (libc::EMFILE, Some("ulimit -n 66000")),
            (libc::ENFILE, Some("ulimit -n 66000")),
            (libc::ENOMEM, None),
            (libc::EAGAIN, None),
        ] {
            let error = io::Error::from_raw_os_error(code);
            let problem = with_cure(Problem::words("127.0.0.1:1935"), &error);
            assert_eq!(problem.to_string(), "127.0.0.1:1935", "{error}");
            let found = Language::English.cure(&problem);
            assert_eq!(found.is_some(), cure.is_some(), "{error}: {found:?}");
            assert!(found.unwrap_or_default().contains(cure.unwrap_or_default()), "{error}");
        }
    }
}

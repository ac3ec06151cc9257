//! Recognizes errors of the system that have no kind of their own in the standard library.

use std::io;

/// Returns true if this process, or the whole system, has too many open files.
pub fn is_too_many_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Returns true if a disk or another device fails or is gone.
pub fn is_broken_device(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIO | libc::ENXIO | libc::ENODEV))
}

/// Returns true if there is no such device, such as a network interface.
pub fn is_missing_device(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENODEV)
}

/// Returns true if a queue of the network is full.
pub fn is_full_queue(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOBUFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_system_are_recognized_by_their_number() {
        let of = io::Error::from_raw_os_error;
        assert!([libc::EMFILE, libc::ENFILE].into_iter().map(of).all(|it| is_too_many_files(&it)));
        assert!([libc::EIO, libc::ENXIO].into_iter().map(of).all(|it| is_broken_device(&it)));
        assert!(is_missing_device(&of(libc::ENODEV)) && !is_missing_device(&of(libc::EIO)));
        assert!(is_full_queue(&of(libc::ENOBUFS)) && !is_full_queue(&of(libc::EAGAIN)));
        assert!(!is_too_many_files(&io::Error::other("words")));
    }
}

//! The replacement of browser pages on systems that have none yet.

use crate::capture::browser::input::PageInputs;
use crate::capture::browser::page::{self, BrowserPage};
use crate::capture::browser::studio::StudioBoard;
use crate::capture::source::{Context, Error, LiveSetting, Source};
use crate::text::problem::problem;

/// Fails: there is no launcher.
pub(in crate::capture) fn open(
    page: &str,
    _dial: LiveSetting<BrowserPage>,
    _requests: (LiveSetting<u32>, PageInputs, StudioBoard),
    _context: &Context,
) -> Result<Source, Error> {
    let name = page::name_of(page);
    let reason = problem!("device-not-on-this-system", device = name.as_str());
    Err(Error::File { path: name.into(), reason })
}

//! The flags of `onair live` for guests across the internet.

use std::sync::Arc;

use crate::cli::live::args::Args;
use crate::cli::live::targets::KeySource;
use crate::cli::output::exit::Exit;
use crate::net::Options;
use crate::server::MeetingPlace;
use crate::text::Problem;
use crate::text::problem::problem;

/// Returns the server at which guests meet the studio, if the flags name one.
///
/// # Errors
/// Fails if the address is not valid, or if there is no key.
pub(super) fn read(
    args: &Args,
    net: &Options,
) -> Result<Option<Arc<MeetingPlace>>, (Problem, Exit)> {
    let Some(url) = &args.meet else { return Ok(None) };
    let source = args.meet_key_env.clone().map(KeySource::Env);
    let source = source.or_else(|| args.meet_key_file.clone().map(KeySource::File));
    let key = source.ok_or_else(|| (problem!("flag-meet-key"), Exit::Usage))?.read()?;
    let place = MeetingPlace::new(url, key, net.clone())
        .map_err(|reason| (problem!("cli-flag", flag = "--meet", reason = reason), Exit::Usage))?;
    Ok(Some(place))
}

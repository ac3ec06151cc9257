//! Reports the start and end of renditions.

use crate::server::event::{Event, RenditionChange, RenditionState};
use crate::server::registry::Registry;
use crate::server::renditions::refusal::Refusal;
use crate::server::stream::Stream;
use crate::text::Problem;

/// Reports a change, and its cause.
pub(super) fn tell(
    registry: &Registry,
    stream: &Stream,
    name: &str,
    state: RenditionState,
    why: Option<&Refusal>,
) {
    registry.tell(Event::Rendition(RenditionChange {
        app: stream.app.clone(),
        stream: stream.name.clone(),
        rendition: name.to_owned(),
        state,
        cause: why.map(Refusal::name),
        reason: why.map(Problem::from),
    }));
}

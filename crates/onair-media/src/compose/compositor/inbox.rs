//! The commands that wait for the compositor's next tick.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::queue::Sender;
use crate::base::{Latest, Timestamp};
use crate::compose::filter::WantedFilter;
use crate::compose::other_program::{EncoderQueue, OtherProgram};
use crate::compose::scene::{Plan, SourceId};
use crate::compose::side_views::{SideView, ViewOf};
use crate::compose::source_frames::SourceFrame;
use crate::compose::transition::{Change, ManualTransition};
use crate::media::{ExtraRendition, ProgramId, VideoFrame};

/// Maximum number of smaller layers of the main program.
pub const MAX_SMALLER_LAYERS: usize = 2;
/// The place of the first further rendition among the encoders: after the main one, the second one and
/// that of a recording.
pub const FIRST_RENDITION: usize = 3;
/// The place of the first smaller layer.
pub const FIRST_LAYER: usize = FIRST_RENDITION + ExtraRendition::MAX;
/// The number of encoders of the main program.
pub const ENCODERS: usize = FIRST_LAYER + MAX_SMALLER_LAYERS;

/// Pending commands. The outer `Some` means that a command is pending.
#[derive(Default)]
pub struct Inbox {
    pub sources: BTreeMap<SourceId, SourceFrame>,
    /// Moves of feeds, applied before the other commands, in this order.
    pub moves: Vec<(SourceId, SourceId)>,
    pub fallback: BTreeMap<SourceId, Option<SourceId>>,
    pub filters: BTreeMap<SourceId, Vec<WantedFilter>>,
    pub plan: Option<(Arc<Plan>, Option<Change>)>,
    pub preview: Option<Option<(Arc<Plan>, Latest<VideoFrame>)>>,
    pub views: Option<BTreeMap<ViewOf, SideView>>,
    pub t_bar: Option<Option<ManualTransition>>,
    pub encoders: [Option<Option<EncoderQueue>>; ENCODERS],
    pub others: BTreeMap<ProgramId, Option<OtherProgram>>,
    pub other_encoders: Vec<(ProgramId, Option<EncoderQueue>)>,
    pub other_recorders: Vec<(ProgramId, EncoderQueue)>,
    /// True if a command came since the last tick.
    pub is_pending: bool,
    /// The number of guards. Commands are not applied while this number is above zero.
    pub held: u32,
}

impl Inbox {
    /// Sends frames to the encoder at this place, or stops sending.
    pub fn attach(&mut self, at: usize, encoder: Option<Sender<VideoFrame>>) {
        if let Some(place) = self.encoders.get_mut(at) {
            *place = Some(encoder.map(|encoder| (encoder, Timestamp::ZERO)));
        }
    }
}

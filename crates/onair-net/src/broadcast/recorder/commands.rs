//! Commands of a running recording. A command applies at the moment of the request, whose packets
//! may leave the hub much later, because the hub waits for late audio. This module runs on the
//! recorder's thread.

use std::collections::VecDeque;

use super::{Event, PendingCommand, RecorderCommand, Writer};
use crate::base::Timestamp;
use crate::broadcast::hub::HubFeed;
use crate::broadcast::hub::subscription::NextPacket;
use crate::broadcast::recorder::file::Error;
use crate::media::{Metadata, RenditionId, StreamEvent};
use crate::wire::container::Chapter;

impl Writer {
    /// Accepts new commands, and executes those that were requested before this packet. `handed_out`
    /// is the DTS that the hub had handed out before the wait for the packet.
    pub(super) fn execute_commands(
        &mut self,
        next: &NextPacket,
        handed_out: Timestamp,
    ) -> Result<(), Error> {
        while let Ok(command) = self.orders.try_recv() {
            self.accept(command)?;
        }
        note_reach(&mut self.pending, &self.feed);
        let is_due = |it: &mut PendingCommand| match (next, it.reach) {
            (NextPacket::Ended, _) => true,
            (NextPacket::Tag(tag), Some(reach)) => tag.dts > reach,
            (NextPacket::Waiting, Some(reach)) => handed_out >= reach,
            (NextPacket::Tag(_) | NextPacket::Waiting, None) => false,
        };
        while let Some(due) = self.pending.pop_front_if(is_due) {
            self.execute(due.command)?;
        }
        Ok(())
    }

    /// Adds a command to the pending ones. The recording counts as paused or resumed from the
    /// request on.
    fn accept(&mut self, pending: PendingCommand) -> Result<(), Error> {
        let pauses = match pending.command {
            RecorderCommand::Pause => Some(true),
            RecorderCommand::Resume => Some(false),
            RecorderCommand::Split => {
                // The next file begins with this keyframe.
                self.keyframe_asked = true;
                self.feed.ask_keyframe(RenditionId::Main);
                None
            }
            RecorderCommand::Chapter(_) => None,
        };
        if let Some(pauses) = pauses {
            if self.figures.lock().paused == pauses {
                return Ok(());
            }
            self.file.flush()?;
            self.figures.lock().paused = pauses;
            self.note();
            let _ = self.events.send(Event::Paused(self.figures.lock().clone()));
            if !pauses {
                self.feed.ask_keyframe(RenditionId::Main);
            }
        }
        self.pending.push_back(pending);
        Ok(())
    }

    fn execute(&mut self, command: RecorderCommand) -> Result<(), Error> {
        match command {
            RecorderCommand::Pause => {
                self.timeline.pause();
                self.paused = true;
            }
            RecorderCommand::Resume => self.paused = false,
            RecorderCommand::Chapter(title) => {
                let at = self.timeline.end();
                self.chapters += 1;
                let title = match title.trim() {
                    "" => format!("Chapter {}", self.chapters),
                    title => title.to_owned(),
                };
                let chapter = Chapter::new(Timestamp::ZERO + at, &title);
                let title = chapter.title.clone();
                self.file.write(&StreamEvent::Metadata(Metadata::Chapter(chapter)))?;
                self.figures.lock().chapters += 1;
                let _ = self.events.send(Event::Chapter { at, title });
            }
            RecorderCommand::Split => self.split_wanted = true,
        }
        Ok(())
    }
}

/// Notes the reach of the commands whose packets the hub has taken. This includes commands behind
/// others, because the reach grows with later packets.
pub(super) fn note_reach(pending: &mut VecDeque<PendingCommand>, feed: &HubFeed) {
    for it in pending {
        it.reach = it.reach.or_else(|| feed.reach(it.given));
    }
}

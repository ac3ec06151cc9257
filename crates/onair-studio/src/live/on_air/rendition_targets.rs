//! Which further renditions the targets get.

use crate::broadcast::protocol::link::SentRendition;
use crate::studio::live::on_air::renditions::{ExtraRenditions, RenditionNews};
use crate::studio::live::on_air::{OnAir, encoder_message};
use crate::studio::live::outputs::OutputNews;
use crate::studio::live::outputs::target::{TargetOutput, WantedTarget};
use crate::studio::notices::message::StudioMessage;
use crate::studio::program::Program;
use crate::studio::targets::renditions::RenditionChoice;

impl OnAir {
    /// Starts the encoders of these targets' further renditions before the targets are added.
    /// If an encoder is not available, the targets do not get its rendition, and a notice says why.
    pub fn encode_renditions(&mut self, added: &[WantedTarget], program: &Program) {
        // A target that is added again replaces its earlier output.
        let stays = |it: &&TargetOutput| !it.is_over() && added.iter().all(|new| new.id != it.id);
        let targets = self.outputs.all().filter(stays);
        let chosen = targets.flat_map(|it| &it.renditions);
        let chosen = chosen.chain(added.iter().flat_map(|it| &it.renditions));
        let mut wanted: Vec<RenditionChoice> = Vec::new();
        for choice in chosen {
            if !wanted.contains(choice) {
                wanted.push(*choice);
            }
        }
        let Some(renditions) = &mut self.renditions else { return };
        renditions.follow(&wanted, self.video.as_ref(), (program, &self.hub));
    }

    /// Returns those of a target's further renditions that are encoded.
    pub(super) fn sent_renditions(&self, choices: &[RenditionChoice]) -> Vec<SentRendition> {
        self.renditions.as_ref().map(|it| it.sent(choices)).unwrap_or_default()
    }

    /// Returns the news about the encoders of further renditions.
    pub(super) fn poll_renditions(&mut self) -> impl Iterator<Item = OutputNews> + use<> {
        let news = self.renditions.as_mut().map(ExtraRenditions::poll).unwrap_or_default();
        news.into_iter().map(|news| {
            OutputNews::Message(match news {
                RenditionNews::Incident(incident) => encoder_message(incident),
                RenditionNews::Failed(reason) => StudioMessage::ExtraRenditionFailed { reason },
            })
        })
    }
}

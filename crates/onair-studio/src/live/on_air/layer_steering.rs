//! How many smaller sizes of the video the targets get at once: as many as they take, and as the link and the computer
//! afford.

use crate::base::Timestamp;
use crate::broadcast::adaptation::LayerTerms;
use crate::studio::live::on_air::OnAir;
use crate::studio::live::on_air::layers::LayerNews;
use crate::studio::live::outputs::target::TargetOutput;
use crate::studio::program::Program;

impl OnAir {
    /// Follows the targets that take several sizes of the video. Returns news, if there are any.
    pub fn follow_layers(&mut self, now: Timestamp, program: &Program) -> Option<LayerNews> {
        let layers = self.layers.as_mut()?;
        let taking = self.outputs.all::<TargetOutput>().filter(|it| !it.is_over());
        let taking: Vec<_> = taking.filter(|it| it.publisher.taken_layers() > 1).collect();
        let most = taking.iter().map(|it| usize::from(it.publisher.taken_layers()) - 1).max();
        let wanted = most.unwrap_or(0);
        let shares = taking.iter().map(|it| self.adaptation.link_share(it.id));
        let share = shares.fold(1.0, f64::min);
        let main = self.video.as_ref().map(|it| it.figures());
        let (main_due, main_skipped) =
            main.map_or((0, 0), |it| (it.encoded + it.skipped, it.skipped));
        let (due, skipped) = layers.frames();
        let (due, skipped) = (due + main_due, skipped + main_skipped);
        let allowed = layers.choice.note(now, wanted, LayerTerms { share, due, skipped });
        let stream = (self.adaptation.bitrate(), self.adaptation.size());
        let followed = layers.follow(allowed, stream, self.adaptation.frame_step(), program);
        let hubs = layers.hubs();
        taking.iter().for_each(|it| it.publisher.set_layers(&hubs));
        if let Err(why) = followed {
            return Some(LayerNews::Failed(why));
        }
        // Before there are targets, and after the last one, there is nothing to say.
        let reported = (wanted > 0 && !layers.failed).then_some((allowed + 1, wanted + 1));
        let before = std::mem::replace(&mut layers.reported, reported);
        let (sent, wanted) = reported?;
        let is_less = sent < wanted || before.is_some_and(|(sent, wanted)| sent < wanted);
        (before != reported && is_less).then_some(LayerNews::Sent { sent, wanted })
    }
}

//! Players that the user has closed. They complete their files in the background, and report the
//! result.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::{Clock, Timestamp};
use crate::player::{self, Player, PlayerMessage};
use crate::studio::notices::TileId;
use crate::studio::notices::row::Group;
use crate::studio::watch::choices::MAX_TILES;

/// Maximum number of closing players. If there are more, the oldest one is abandoned.
const MAX_CLOSING_PLAYERS: usize = 2 * MAX_TILES;

/// See the module documentation.
#[derive(Debug, Default)]
pub struct ClosingPlayers(VecDeque<(TileId, Player)>);

impl ClosingPlayers {
    /// Ends the player of a tile without waiting. Its slot may already belong to another player.
    pub fn add(&mut self, id: TileId, player: Player) {
        player.leave();
        self.0.push_back((id, player));
        if self.0.len() > MAX_CLOSING_PLAYERS {
            tracing::warn!("a player did not end in time");
            self.0.pop_front();
        }
    }

    /// Returns the messages since the last call. The problems of a playback end with it, so they
    /// are left out.
    pub fn poll(&mut self) -> Vec<(TileId, PlayerMessage)> {
        let mut messages = Vec::new();
        self.0.retain_mut(|(id, player)| {
            // A player that has ended sends no further message.
            let ended = player.is_finished();
            messages.extend(player.events().waiting().filter_map(|event| match event {
                player::Event::Message(message)
                    if !Group::Playback.keys().contains(&message.key()) =>
                {
                    Some((*id, message))
                }
                _ => None,
            }));
            if ended {
                player.stop(Duration::ZERO);
            }
            !ended
        });
        messages
    }

    /// Waits for the players until this time. Their messages can still be read.
    pub fn end(&mut self, until: Timestamp, clock: Clock) {
        for (_, player) in &mut self.0 {
            player.stop(until.since(clock.now()));
        }
    }

    /// Returns true if all players have ended.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

//! The active faults of a server, shared by its connections. Each connection gets its own plan, and
//! strikes are counted.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::server::fault::plan::Plan;
use crate::server::fault::spec::{Fault, Phase};

/// A fault that has struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TriggeredFault {
    /// The fault in its text form.
    pub fault: String,
    pub phase: Phase,
    pub address: SocketAddr,
    /// Id of the connection.
    pub id: u64,
}

/// The faults of a server.
#[derive(Debug)]
pub struct Lab {
    /// A number that changes with every change of the faults; 0 if there have never been any.
    generation: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Each fault, after the number of connections that it still strikes.
    faults: Vec<(Option<u32>, Fault)>,
    seed: u64,
}

impl Lab {
    pub fn new(faults: Vec<Fault>, seed: u64) -> Self {
        let lab = Self {
            generation: AtomicU64::new(0),
            inner: Mutex::new(Inner { faults: Vec::new(), seed }),
        };
        lab.set(faults);
        lab
    }

    /// Replaces the faults, also for existing connections. The same faults again change nothing, so
    /// that used-up faults stay used up when other settings of the server change.
    pub fn set(&self, faults: Vec<Fault>) {
        let mut inner = self.inner.lock();
        if inner.faults.iter().map(|(_, fault)| fault).eq(&faults) {
            return;
        }
        inner.faults = faults.into_iter().map(|fault| (fault.times, fault)).collect();
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Returns the current generation; connections compare it to detect changes.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Returns the plan of connection `id` in this phase, and its generation.
    pub fn plan(&self, id: u64, phase: Option<Phase>, now: Timestamp) -> (u64, Option<Box<Plan>>) {
        let inner = self.inner.lock();
        let faults = inner.faults.iter().enumerate();
        let armed = faults
            .filter(|(_, (left, _))| *left != Some(0))
            .map(|(index, (_, fault))| (index, fault.clone()));
        let seed = inner.seed ^ id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let plan = Plan::new(armed, phase, seed, now).map(Box::new);
        (self.generation(), plan)
    }

    /// Claims a strike of fault `index` of a generation. Returns false if the fault may not strike
    /// any more.
    pub fn claim(&self, generation: u64, index: usize) -> bool {
        let mut inner = self.inner.lock();
        if generation != self.generation() {
            return false;
        }
        match inner.faults.get_mut(index) {
            Some((None, _)) => true,
            Some((Some(left), _)) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_as_often_as_it_says_and_not_after_it_is_switched_off() {
        let lab = Lab::new(Vec::new(), 7);
        assert_eq!(
            (lab.generation(), lab.plan(1, None, Timestamp::default()).1.is_none()),
            (0, true)
        );
        lab.set(vec!["busy@publish:2".parse().unwrap(), "noack@media".parse().unwrap()]);
        let (generation, plan) = lab.plan(1, Some(Phase::Handshake), Timestamp::default());
        assert!(plan.is_some());
        let claims: Vec<bool> = (0..3).map(|_| lab.claim(generation, 0)).collect();
        assert_eq!(claims, [true, true, false]);
        lab.set(vec!["busy@publish:2".parse().unwrap(), "noack@media".parse().unwrap()]);
        assert_eq!(lab.generation(), generation, "the same faults again");
        assert!(!lab.claim(generation, 0));
        assert!(lab.claim(generation, 1) && !lab.claim(generation, 2));
        lab.set(Vec::new());
        assert!(!lab.claim(generation, 1));
        assert!(lab.plan(2, None, Timestamp::default()).1.is_none());
    }
}

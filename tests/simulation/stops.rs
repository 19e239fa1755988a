//! Processes that are stopped for a while: the relay, a shim, or the whole machine.

use std::time::Duration;

use relay::lobby::ConnectionId;
use shared::limits::{KEEP_ALIVE, KEEP_ALIVE_MISSES, SLEPT_AFTER};

use crate::{
    relay::Item,
    rules::Rule,
    wires::Wire,
    world::{Happening, WireId, World},
};

/// A shim that was away for longer may find its rooms given up.
const OVERSLEPT_AFTER: Duration = Duration::from_secs(25);

impl World {
    /// When this can happen at the earliest, if it is for somebody who is stopped.
    pub(crate) fn sleeper(&self, happening: &Happening) -> Option<Duration> {
        let shim = match happening {
            Happening::Connect { shim, .. }
            | Happening::Answer { shim, .. }
            | Happening::Look { shim, .. } => *shim,
            Happening::Act(shim) | Happening::Listen(shim) => *shim,
            Happening::ToShim(wire) | Happening::Written(wire) => self.wires.get(wire)?.shim,
            Happening::Fault | Happening::StartRelay | Happening::StartShim(_) => {
                return self.suspended_until.filter(|until| *until > self.now);
            }
            Happening::ToRelay(_)
            | Happening::WakeRelay
            | Happening::WakeShim { .. }
            | Happening::Silent(_) => return None,
        };
        self.shims[shim].as_ref()?.sleeps_until
    }

    /// The relay's process is stopped.
    pub(crate) fn stop_relay(&mut self) {
        let slept = self.random.millis(500, 20_000);
        self.put_relay_to_sleep(slept);
    }

    fn put_relay_to_sleep(&mut self, slept: Duration) {
        let wakes = self.now + slept;
        if self.relay.is_none() || self.relay_sleeps_until.is_some_and(|until| until >= wakes) {
            return;
        }
        self.tally.relay_stops += 1;
        self.relay_sleeps_since =
            self.relay_sleeps_until.map_or(self.now, |_| self.relay_sleeps_since);
        self.relay_sleeps_until = Some(wakes);
        self.at(wakes, Happening::WakeRelay);
    }

    /// What has come meanwhile is read first. How late the process is for its next deadline is
    /// all that it knows of its sleep.
    pub(crate) fn wake_relay(&mut self) {
        if self.relay_sleeps_until.take_if(|until| *until <= self.now).is_none() {
            return;
        }
        let (start, since) = (self.start.instant, self.relay_sleeps_since);
        let keep_alive = since + self.random.millis(0, KEEP_ALIVE.as_millis() as u64);
        let lobby = self.relay.as_ref().and_then(|relay| relay.lobby.next_deadline());
        let lobby = lobby.map(|at| at.saturating_duration_since(start));
        let due = lobby.into_iter().chain([keep_alive]).min().unwrap_or(keep_alive).max(since);
        let wires: Vec<WireId> = self.wires.keys().copied().collect();
        for id in wires {
            let due = self.wires[&id].to_relay.len();
            for _ in 0..due {
                self.arrive_at_relay(id);
            }
        }
        let clock = self.clock();
        let late = self.now.saturating_sub(due);
        let is_told = late > SLEPT_AFTER && self.rule != Some(Rule::SleptOver);
        if let Some(relay) = self.relay.as_mut().filter(|_| is_told) {
            let outgoing = relay.slept(late, clock);
            self.send_out(outgoing);
        }
    }

    /// The process of a shim is stopped, perhaps for longer than anybody waits for it.
    pub(crate) fn stop_shim(&mut self) {
        let number = self.random.below(self.shims.len());
        let longest = if self.random.permille(300) { 75_000 } else { 20_000 };
        let slept = self.random.millis(500, longest);
        self.put_shim_to_sleep(number, slept);
        if slept > OVERSLEPT_AFTER
            && let Some(shim) = self.shims[number].as_mut()
        {
            shim.overslept = true;
        }
        let of_it = |(_, wire): &(&WireId, &Wire)| wire.shim == number && wire.relay_open;
        let wires: Vec<WireId> = self.wires.iter().filter(of_it).map(|(id, _)| *id).collect();
        let silence = KEEP_ALIVE * KEEP_ALIVE_MISSES;
        for id in wires {
            let at = self.now + silence + self.random.millis(0, 15_000);
            self.at(at, Happening::Silent(id));
        }
    }

    fn put_shim_to_sleep(&mut self, number: usize, slept: Duration) {
        let wakes = self.now + slept;
        let Some(shim) = self.shims[number].as_mut() else { return };
        if shim.sleeps_until.is_none_or(|until| until < wakes) {
            self.tally.shim_stops += 1;
            shim.sleeps_until = Some(wakes);
            let life = shim.life;
            self.at(wakes, Happening::WakeShim { shim: number, life });
        }
    }

    /// A process that wakes finds what has come and the time that has passed, in either order.
    pub(crate) fn wake_shim(&mut self, number: usize, life: u64) {
        let Some(shim) = self.shims[number].as_mut().filter(|shim| shim.life == life) else {
            return;
        };
        if shim.sleeps_until.take_if(|until| *until <= self.now).is_none() {
            return;
        }
        if self.random.permille(500) {
            return;
        }
        let of_it = |(_, wire): &(&WireId, &Wire)| wire.shim == number && wire.life == life;
        let wires: Vec<WireId> = self.wires.iter().filter(of_it).map(|(id, _)| *id).collect();
        for id in wires {
            let due = self.wires.get(&id).map_or(0, |wire| wire.to_shim.len());
            for _ in 0..due {
                self.arrive_at_shim(id);
            }
        }
    }

    /// The relay gives up a connection of a shim that is stopped and says nothing.
    pub(crate) fn silent(&mut self, id: WireId) {
        let Some(wire) = self.wires.get(&id).filter(|wire| wire.relay_open) else { return };
        let sleeps = |shim: &crate::shim::Shim| shim.sleeps_until.is_some_and(|at| at > self.now);
        if !self.shims[wire.shim].as_ref().is_some_and(sleeps) {
            return;
        }
        if let Some(wakes) = self.relay_sleeps_until {
            return self.at(wakes + KEEP_ALIVE, Happening::Silent(id));
        }
        let clock = self.clock();
        let Some(relay) = self.relay.as_mut() else { return };
        let outgoing = relay.gone(ConnectionId(id), clock);
        self.send_to_shim(id, Item::End);
        if let Some(wire) = self.wires.get_mut(&id) {
            wire.relay_open = false;
            wire.to_relay.clear();
        }
        self.send_out(outgoing);
    }

    /// The machine sleeps, and with it all who are on it; they wake one after the other.
    pub(crate) fn suspend(&mut self) {
        self.tally.suspends += 1;
        let slept = self.random.millis(10_000, 600_000);
        self.heals_at += slept;
        self.suspended_until = Some(self.now + slept);
        let jitter = self.random.millis(0, 200);
        self.put_relay_to_sleep(slept + jitter);
        for number in 0..self.shims.len() {
            let jitter = self.random.millis(0, 200);
            self.put_shim_to_sleep(number, slept + jitter);
        }
    }
}

//! What the monitor shows: the newest figures and their course over the last minutes.

use std::collections::VecDeque;

use shared::protocol::{Monitor, ServiceRow, ServiceState};

/// Figures kept, one a second.
const POINTS_MAX: usize = 15 * 60;

/// One second's figures.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub at: i64,
    /// Active sessions of each service, in the order of [`History::services`].
    pub active: Vec<u64>,
    pub accepted_per_s: f64,
    pub delivered_per_s: f64,
    pub bytes_per_s: f64,
}

/// The course of the figures.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub now: Option<Monitor>,
    pub services: Vec<String>,
    pub points: VecDeque<Point>,
}

impl History {
    pub fn take(&mut self, next: Monitor) {
        for row in &next.services {
            if !self.services.contains(&row.service) {
                self.services.push(row.service.clone());
            }
        }
        let (mut accepted, mut delivered, mut bytes) = (0.0, 0.0, 0.0);
        if let Some(last) = &self.now {
            // A daemon that was started anew counts from nought again.
            if next.uptime_s < last.uptime_s {
                self.points.clear();
            } else {
                let seconds = (next.at - last.at).max(1) as f64;
                let rate = |new: u64, old: u64| new.saturating_sub(old) as f64 / seconds;
                accepted = rate(next.accepted_total, last.accepted_total);
                delivered = rate(next.delivered_total, last.delivered_total);
                bytes = rate(
                    next.bytes_in_total + next.bytes_out_total,
                    last.bytes_in_total + last.bytes_out_total,
                );
            }
        }
        let active = self
            .services
            .iter()
            .map(|name| {
                next.services
                    .iter()
                    .find(|row| row.service == *name)
                    .map_or(0, |row| row.active)
            })
            .collect();
        if self.points.back().is_none_or(|last| last.at < next.at) {
            self.points.push_back(Point {
                at: next.at,
                active,
                accepted_per_s: accepted,
                delivered_per_s: delivered,
                bytes_per_s: bytes,
            });
        }
        while self.points.len() > POINTS_MAX {
            self.points.pop_front();
        }
        self.now = Some(next);
    }

    pub fn service(&self, name: &str) -> Option<&ServiceRow> {
        self.now.as_ref()?.services.iter().find(|row| row.service == name)
    }

    /// Sessions of all services.
    pub fn active(&self) -> u64 {
        self.now
            .as_ref()
            .map_or(0, |now| now.services.iter().map(|row| row.active).sum())
    }

    /// Shows a service in a state at once, until the daemon's next figures say what is.
    pub fn expect(&mut self, service: &str, state: ServiceState) {
        if let Some(now) = &mut self.now
            && let Some(row) = now.services.iter_mut().find(|row| row.service == service)
        {
            row.state = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(at: i64, uptime_s: u64, accepted_total: u64) -> Monitor {
        Monitor {
            at,
            uptime_s,
            services: Vec::new(),
            queue_messages: 0,
            accepted_total,
            delivered_total: 0,
            bytes_in_total: 0,
            bytes_out_total: 0,
            memory_bytes: 0,
            missed: 0,
        }
    }

    #[test]
    fn rates_come_from_totals_and_a_restart_begins_anew() {
        let mut history = History::default();
        history.take(figures(100, 50, 10));
        history.take(figures(102, 52, 30));
        assert!((history.points[1].accepted_per_s - 10.0).abs() < 1e-9);
        history.take(figures(110, 1, 2));
        assert_eq!(history.points.len(), 1);
        assert!(history.points[0].accepted_per_s.abs() < 1e-9);
    }
}

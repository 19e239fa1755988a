//! Reports of partners: counts, and a bounded log without a word of what was said.

use std::collections::VecDeque;

use shared::{
    id::{RoomId, SessionId},
    limits::REPORTS,
    message::{ReportCategory, Reports},
};

use super::{event::Member, fair_set::FairSet};

/// One report, as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// What it is about.
    pub category: ReportCategory,
    /// The room that it came from.
    pub room: RoomId,
    /// Messages of that room until then; `None` if it was closed already.
    pub messages: Option<u64>,
}

#[derive(Debug, Default)]
pub(super) struct ReportLog {
    pub(super) counts: Reports,
    pub(super) latest: VecDeque<Report>,
    /// What each session has reported: a leave is repeated until it was answered.
    noted: FairSet<(RoomId, SessionId, ReportCategory), REPORTS>,
}

impl ReportLog {
    /// Takes a session's report, unless it has made the same before.
    pub(super) fn note(&mut self, by: Member, report: Report) {
        if !self.noted.insert(by.owner.uid, (report.room, by.session, report.category)) {
            return;
        }
        let count = match report.category {
            ReportCategory::Spam => &mut self.counts.spam,
            ReportCategory::Harassment => &mut self.counts.harassment,
            ReportCategory::Injection => &mut self.counts.injection,
            ReportCategory::Other => &mut self.counts.other,
        };
        *count += 1;
        self.latest.push_back(report);
        if self.latest.len() > REPORTS {
            self.latest.pop_front();
        }
    }
}

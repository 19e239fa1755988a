//! Reports of partners: counts, and a bounded log without a word of what was said.

use std::collections::VecDeque;

use shared::{
    id::RoomId,
    limits::REPORTS,
    message::{ReportCategory, Reports},
};

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
}

impl ReportLog {
    pub(super) fn note(&mut self, report: Report) {
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

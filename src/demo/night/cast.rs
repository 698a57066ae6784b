//! The pipelines of the demo: about 300 in three standard types, with owners, tags, schedules and what they wait for.

use std::fmt;

/// The one on which more than a hundred others hang.
pub const CAUSE: &str = "raw_member_events";
/// The one that runs much longer than usual.
pub const LONG: &str = "ad_revenue_daily";
pub const LONG_BOARD: &str = "ad_revenue_board";
/// The one that fails and is rerun before anybody has to act.
pub const HEALED: &str = "mart_order_sales";
pub const SETTLEMENT: &str = "settlement_summary";

/// The three standard types of pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Brings raw data in.
    Ingest,
    /// Builds a table of the mart.
    Mart,
    /// Fills a page that people look at.
    Report,
}

impl Sort {
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Mart, Self::Report];

    /// The declared run time of its template, in minutes: what is usual, with a margin.
    pub fn declared_min(self) -> u32 {
        match self {
            Self::Ingest => 15,
            Self::Mart => 40,
            Self::Report => 20,
        }
    }
}

/// The tag, and the name of the template.
impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ingest => "ingest",
            Self::Mart => "mart",
            Self::Report => "report",
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    pub id: String,
    pub sort: Sort,
    /// A tag beside that of its sort.
    pub domain: &'static str,
    pub owner: &'static str,
    /// Daily, in Seoul.
    pub hour: u32,
    pub minute: u32,
    /// What its work takes on a usual night, waiting not counted.
    pub usual_min: u32,
    /// Whom its first task, a sensor, waits for.
    pub needs: Vec<String>,
}

impl Pipeline {
    /// What the demo's configuration says of its run time, in minutes.
    pub fn declared_min(&self) -> u32 {
        match self.id.as_str() {
            CAUSE => 30,
            LONG => 60,
            _ => self.sort.declared_min(),
        }
    }
}

/// Domain and owning team.
pub const DOMAINS: [(&str, &str); 8] = [
    ("order", "commerce-core"),
    ("product", "catalog"),
    ("search", "search-platform"),
    ("ad", "ads-data"),
    ("member", "member-platform"),
    ("delivery", "logistics"),
    ("pay", "payments"),
    ("app", "client-platform"),
];

const ENTITIES: [&str; 12] =
    ["events", "changes", "snapshots", "sessions", "status", "audit", "prices", "labels", "batches", "limits", "links", "notes"];

const MEMBER_TOPICS: [&str; 28] = [
    "signup",
    "login",
    "profile",
    "grade",
    "points",
    "coupon",
    "consent",
    "churn",
    "revisit",
    "basket",
    "wishlist",
    "review",
    "referral",
    "support",
    "visit",
    "search",
    "order",
    "refund",
    "push",
    "email",
    "device",
    "region",
    "age",
    "lifetime",
    "segment",
    "campaign",
    "dormancy",
    "household",
];

const GRAINS: [&str; 3] = ["daily", "weekly", "cohort"];

/// Domains with marts of their own, beside the member marts.
const MART_DOMAINS: [&str; 6] = ["order", "product", "search", "ad", "delivery", "pay"];

const TOPICS: [&str; 10] = ["sales", "funnel", "price", "stock", "margin", "quality", "traffic", "partner", "region", "forecast"];

const REPORTS: [&str; 4] = ["kpi", "trend", "weekly", "ops"];

/// Member topics that have reports of their own.
const MEMBER_REPORTS: usize = 12;

/// All of them; those that others wait for come first.
pub fn pipelines() -> Vec<Pipeline> {
    let mut all = ingests();
    all.extend(marts());
    all.extend(reports());
    all
}

/// One pipeline whose schedule lies `index` of `of` into the minutes after `from`, all of the same day.
fn spread(sort: Sort, id: String, domain: &'static str, index: usize, of: usize, (from, to): (u32, u32)) -> Pipeline {
    let owner = DOMAINS.iter().find(|(name, _)| *name == domain).map_or("airflow", |(_, owner)| owner);
    let share = u32::try_from(index * (to - from) as usize / of.max(1)).unwrap_or(0);
    let minute = from + share;
    Pipeline { id, sort, domain, owner, hour: minute / 60, minute: minute % 60, usual_min: 0, needs: vec![] }
}

fn of_day(hour: u32, minute: u32) -> u32 {
    hour * 60 + minute
}

fn step(index: usize, from: u32, over: u32) -> u32 {
    from + u32::try_from(index).unwrap_or(0) * 5 % over
}

fn ingests() -> Vec<Pipeline> {
    let names = ENTITIES.iter().flat_map(|entity| DOMAINS.iter().map(move |(domain, _)| (*domain, *entity)));
    let total = ENTITIES.len() * DOMAINS.len();
    let span = (of_day(1, 30), of_day(3, 20));
    names
        .enumerate()
        .map(|(index, (domain, entity))| {
            let mut pipeline = spread(Sort::Ingest, format!("raw_{domain}_{entity}"), domain, index, total, span);
            pipeline.usual_min = step(index, 7, 6);
            if pipeline.id == CAUSE {
                (pipeline.hour, pipeline.minute, pipeline.usual_min) = (2, 30, 24);
            }
            pipeline
        })
        .collect()
}

fn marts() -> Vec<Pipeline> {
    let member = MEMBER_TOPICS.iter().flat_map(|topic| GRAINS.iter().map(move |grain| format!("mart_member_{topic}_{grain}")));
    let members = MEMBER_TOPICS.len() * GRAINS.len();
    let member = member.enumerate().map(|(index, id)| {
        let mut pipeline = spread(Sort::Mart, id, "member", index, members, (of_day(3, 10), of_day(4, 20)));
        pipeline.usual_min = step(index, 24, 11);
        pipeline.needs = vec![CAUSE.to_owned()];
        pipeline
    });
    let other = MART_DOMAINS.iter().flat_map(|domain| TOPICS.iter().map(move |topic| (*domain, *topic)));
    let others = MART_DOMAINS.len() * TOPICS.len();
    let other = other.enumerate().map(|(index, (domain, topic))| {
        let id = format!("mart_{domain}_{topic}");
        let mut pipeline = spread(Sort::Mart, id, domain, index, others, (of_day(3, 10), of_day(5, 0)));
        pipeline.usual_min = step(index, 22, 12);
        pipeline
    });
    let mut long = spread(Sort::Mart, LONG.to_owned(), "ad", 0, 1, (of_day(4, 10), of_day(4, 10)));
    long.usual_min = 52;
    member.chain(other).chain([long]).collect()
}

fn reports() -> Vec<Pipeline> {
    let member = MEMBER_TOPICS[..MEMBER_REPORTS].iter().flat_map(|topic| REPORTS[..3].iter().map(move |kind| (*topic, *kind)));
    let members = MEMBER_REPORTS * 3;
    let member = member.enumerate().map(|(index, (topic, kind))| {
        let id = format!("report_member_{topic}_{kind}");
        let mut pipeline = spread(Sort::Report, id, "member", index, members, (of_day(5, 10), of_day(6, 10)));
        pipeline.usual_min = step(index, 12, 6);
        pipeline.needs = ["daily", "weekly"].map(|grain| format!("mart_member_{topic}_{grain}")).to_vec();
        pipeline
    });
    let other = MART_DOMAINS.iter().flat_map(|domain| REPORTS.iter().map(move |kind| (*domain, *kind)));
    let others = MART_DOMAINS.len() * REPORTS.len();
    let other = other.enumerate().map(|(index, (domain, kind))| {
        let id = format!("report_{domain}_{kind}");
        let mut pipeline = spread(Sort::Report, id, domain, index, others, (of_day(5, 10), of_day(7, 0)));
        pipeline.usual_min = step(index, 11, 6);
        pipeline.needs = vec![format!("mart_{domain}_sales"), format!("mart_{domain}_funnel")];
        pipeline
    });
    let mut board = spread(Sort::Report, LONG_BOARD.to_owned(), "ad", 0, 1, (of_day(5, 40), of_day(5, 40)));
    (board.usual_min, board.needs) = (17, vec![LONG.to_owned()]);
    let mut settlement = spread(Sort::Report, SETTLEMENT.to_owned(), "pay", 0, 1, (of_day(6, 30), of_day(6, 30)));
    (settlement.usual_min, settlement.needs) = (17, vec!["mart_pay_partner".to_owned()]);
    member.chain(other).chain([board, settlement]).collect()
}

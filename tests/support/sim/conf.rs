//! The configuration of a simulated world as plain data, and its text. The core reads the text as it reads a person's file; the oracle
//! reads the data, so that neither has the other's understanding of it.

use chrono::{Datelike, NaiveDate, TimeDelta, TimeZone, Weekday};
use dawnwatch::core::plan::{Id, Plan};
use dawnwatch::core::time::Instant;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Stands in every URL and login of the configuration. Nobody may ever read it in a message.
pub const CREDENTIAL: &str = "marker-of-a-login";
/// Before the name of a thing that is asked for by a query.
const QUERY: &str = "select max(at) from ";
const ZONE: chrono_tz::Tz = chrono_tz::Asia::Seoul;

#[derive(Debug, Clone, PartialEq)]
pub struct Conf {
    pub sources: BTreeMap<Id, Source>,
    pub checks: BTreeMap<Id, Check>,
    pub groups: BTreeMap<Id, Group>,
    pub dashboards: BTreeMap<Id, Dashboard>,
    pub chats: BTreeMap<Id, Chat>,
    pub digest: Option<Digest>,
    pub windows: BTreeMap<Id, Window>,
    pub tell: Vec<Id>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Airflow,
    Http,
    Sql,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub kind: Kind,
    pub every_s: i64,
    /// Sources of one number share a host.
    pub host: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Pipeline,
    /// Its timestamp is when it came.
    Arrival,
    /// Its timestamp is data time and must reach so many minutes after midnight.
    Data {
        through: i64,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    pub source: Id,
    pub what: What,
    pub needs: Vec<Id>,
    pub minutes: Option<i64>,
    pub max_age_h: Option<i64>,
    /// The days on which it is due, where it says so itself.
    pub on: Option<Days>,
    /// What it is called in its source, where that is not its own name.
    pub thing: Option<Id>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub source: Id,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    Daily,
    Work,
    Off,
}

/// Times are minutes after local midnight of the business date.
#[derive(Debug, Clone, PartialEq)]
pub struct Dashboard {
    /// Checks, and `group:NAME`.
    pub needs: Vec<Id>,
    pub ready_by: Vec<i64>,
    pub on: Days,
    pub audience: Days,
    pub opens: i64,
    pub wake: bool,
    pub tell: Vec<Id>,
    pub escalate: Vec<Id>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Chat {
    /// Webhooks drop what was sent twice; slack does not.
    pub webhook: bool,
    pub korean: bool,
    pub quiet: bool,
    pub quiet_days: bool,
    pub fallback: Option<Id>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Digest {
    pub at: i64,
    /// As soon as all is ready, and at the latest then.
    pub when_ready: bool,
    pub on: Days,
    pub to: Vec<Id>,
    pub green: [&'static str; 2],
}

#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    pub sources: Vec<Id>,
    pub checks: Vec<Id>,
    pub on: Days,
    /// Minutes after midnight, the end on the next day where it lies before the beginning.
    pub hours: Option<(i64, i64)>,
}

impl Days {
    pub fn holds(self, date: NaiveDate) -> bool {
        let off = matches!(date.weekday(), Weekday::Sat | Weekday::Sun);
        match self {
            Self::Daily => true,
            Self::Work => !off,
            Self::Off => off,
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            Self::Daily => "daily",
            Self::Work => "kr:workdays",
            Self::Off => "kr:offdays",
        }
    }
}

/// So many minutes after local midnight. The zone has no summer time.
pub fn on(date: NaiveDate, minutes: i64) -> Instant {
    let midnight = ZONE.from_local_datetime(&date.and_hms_opt(0, 0, 0).expect("midnight")).single().expect("no summer time");
    (midnight + TimeDelta::minutes(minutes)).to_utc()
}

pub fn date_of(at: Instant) -> NaiveDate {
    at.with_timezone(&ZONE).date_naive()
}

/// `Thu 03:10:00`.
pub fn local(at: Instant) -> String {
    at.with_timezone(&ZONE).format("%a %d %H:%M:%S").to_string()
}

fn clock(minutes: i64) -> String {
    let day = minutes.div_euclid(1440);
    let (hour, minute) = (minutes.rem_euclid(1440) / 60, minutes.rem_euclid(60));
    if day == 0 { format!("{hour:02}:{minute:02}") } else { format!("{day}d {hour:02}:{minute:02}") }
}

fn list(ids: &[Id]) -> String {
    format!("[{}]", ids.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", "))
}

/// The thing that a source is asked for.
pub fn thing_of(subject: &Id) -> Id {
    subject.as_str().strip_prefix(QUERY).map_or_else(|| subject.clone(), Id::from)
}

impl Conf {
    /// Reads its own text as the program reads a person's.
    pub fn plan(&self) -> Plan {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("dawnwatch.toml");
        std::fs::write(&file, self.text()).expect("a file");
        match dawnwatch::config::load(&file, None, &[]) {
            Ok(loaded) => loaded.plan,
            Err(refused) => panic!("the simulation's own configuration is refused: {:?}\n{}", refused.errors, self.text()),
        }
    }

    pub fn text(&self) -> String {
        let mut text = format!("timezone = \"Asia/Seoul\"\ntell = {}\n", list(&self.tell));
        text.push_str("\n[calendars.kr]\nweekend = [\"sat\", \"sun\"]\n");
        text.push_str("\n[heartbeat]\nurl = \"http://127.0.0.1:9/marker-of-a-login\"\nevery = \"5m\"\n");
        self.write(&mut text).expect("text takes everything");
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        for (id, source) in &self.sources {
            source.write(id, text)?;
        }
        for (id, Group { source }) in &self.groups {
            write!(text, "\n[groups.{id}]\nsource = \"{source}\"\nmatch = {{ tags = [\"{id}\"] }}\nduration = \"30m\"\n")?;
        }
        for (id, check) in &self.checks {
            check.write(id, self.sources[&check.source].kind, text)?;
        }
        for (id, dashboard) in &self.dashboards {
            dashboard.write(id, text)?;
        }
        for (id, chat) in &self.chats {
            chat.write(id, text)?;
        }
        if let Some(Digest { at, when_ready, on, to, green }) = &self.digest {
            let at = clock(*at);
            let at = if *when_ready { format!("{{ when = \"ready\", latest = \"{at}\" }}") } else { format!("\"{at}\"") };
            write!(text, "\n[digests.morning]\nat = {at}\non = \"{}\"\ncalendar = \"kr\"\nto = {}\n", on.text(), list(to))?;
            writeln!(text, "when_all_green = {{ workdays = \"{}\", otherwise = \"{}\" }}", green[0], green[1])?;
        }
        for (id, Window { sources, checks, on, hours }) in &self.windows {
            let (sources, checks) = (list(sources), list(checks));
            write!(text, "\n[maintenance.{id}]\nsources = {sources}\nchecks = {checks}\non = \"{}\"\n", on.text())?;
            if let Some((from, to)) = hours {
                writeln!(text, "hours = \"{}-{}\"", clock(*from), clock(*to))?;
            }
        }
        Ok(())
    }

    /// Is it to come on that day? What does not say so itself is due with whoever needs it.
    pub fn is_due(&self, check: &Id, date: NaiveDate) -> bool {
        self.checks.get(check).and_then(|check| check.on).is_none_or(|on| on.holds(date))
    }

    /// Everything that a dashboard waits for by name, itself or through others.
    pub fn closure(&self, dashboard: &Dashboard) -> std::collections::BTreeSet<Id> {
        let mut found = std::collections::BTreeSet::new();
        let mut left: Vec<Id> = dashboard.needs.clone();
        while let Some(id) = left.pop() {
            if found.insert(id.clone()) {
                left.extend(self.checks.get(&id).into_iter().flat_map(|check| check.needs.iter().cloned()));
            }
        }
        found
    }
}

impl Source {
    fn write(&self, id: &Id, text: &mut String) -> std::fmt::Result {
        let Self { kind, every_s, host } = self;
        writeln!(text, "\n[sources.{id}]\nevery = \"{every_s}s\"")?;
        match kind {
            Kind::Airflow => {
                let login = "username = \"watch\"\npassword = { value = \"marker-of-a-login\" }";
                writeln!(text, "kind = \"airflow\"\nurl = \"http://127.0.0.{}:8080\"\n{login}", host + 1)
            }
            Kind::Http => writeln!(
                text,
                "kind = \"http\"\nurl = \"http://host{host}.example/jobs?key=marker-of-a-login\"\nitems = \"$.jobs[*]\"\nid = \"$.name\"\n\
                 state = \"$.state\"\nstarted_at = \"$.started\"\nended_at = \"$.ended\"\ntimestamp = \"$.newest\""
            ),
            Kind::Sql => writeln!(text, "kind = \"sql\"\nurl = \"sqlite:warehouse.db\"\ntimezone = \"Asia/Seoul\""),
        }
    }
}

impl Check {
    fn write(&self, id: &Id, kind: Kind, text: &mut String) -> std::fmt::Result {
        let Self { source, what, needs, minutes, max_age_h, on, thing } = self;
        writeln!(text, "\n[checks.{id}]\nsource = \"{source}\"")?;
        if !needs.is_empty() {
            writeln!(text, "needs = {}", list(needs))?;
        }
        if let Some(minutes) = minutes {
            writeln!(text, "duration = \"{minutes}m\"")?;
        }
        if let Some(hours) = max_age_h {
            writeln!(text, "max_age = \"{hours}h\"")?;
        }
        if let Some(on) = on {
            writeln!(text, "on = \"{}\"", on.text())?;
        }
        if kind == Kind::Sql {
            writeln!(text, "query = \"{QUERY}{}\"", thing.as_ref().unwrap_or(id))?;
        } else if let Some(thing) = thing {
            writeln!(text, "id = \"{thing}\"")?;
        }
        match what {
            What::Data { through } => writeln!(text, "through = \"{}\"", clock(*through)),
            What::Pipeline | What::Arrival => Ok(()),
        }
    }
}

impl Dashboard {
    fn write(&self, id: &Id, text: &mut String) -> std::fmt::Result {
        let Self { needs, ready_by, on, audience, opens, wake, tell, escalate } = self;
        let ready_by: Vec<String> = ready_by.iter().map(|at| format!("\"{}\"", clock(*at))).collect();
        write!(text, "\n[dashboards.{id}]\nneeds = {}\nready_by = [{}]\n", list(needs), ready_by.join(", "))?;
        write!(text, "on = \"{}\"\naudience = \"{}\"\ncounts_from = \"{}\"\n", on.text(), audience.text(), clock(*opens))?;
        writeln!(text, "wake = {wake}\ntell = {}\nescalate = {}", list(tell), list(escalate))
    }
}

impl Chat {
    fn write(&self, id: &Id, text: &mut String) -> std::fmt::Result {
        let Self { webhook, korean, quiet, quiet_days, fallback } = self;
        let kind = if *webhook { "webhook" } else { "slack" };
        write!(text, "\n[chats.{id}]\nkind = \"{kind}\"\nurl = \"http://127.0.0.1:9/marker-of-a-login/{id}\"\n")?;
        writeln!(text, "language = \"{}\"", if *korean { "ko" } else { "en" })?;
        if *quiet {
            writeln!(text, "quiet = \"22:00-07:00\"")?;
        }
        if *quiet_days {
            writeln!(text, "quiet_days = \"kr:offdays\"")?;
        }
        fallback.iter().try_for_each(|to| writeln!(text, "fallback = \"{to}\""))
    }

    /// Is nobody to be asked there?
    pub fn is_quiet(&self, at: Instant) -> bool {
        let minutes = (at - on(date_of(at), 0)).num_minutes();
        self.quiet && !(7 * 60..22 * 60).contains(&minutes) || self.quiet_days && Days::Off.holds(date_of(at))
    }
}

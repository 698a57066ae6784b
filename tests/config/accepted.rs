//! Good configurations: what they come to.

use crate::{BASE, Folder};
use chrono::TimeDelta;
use dawnwatch::config::Loaded;
use dawnwatch::config::wiring::{Address, ChatWiring, Database, Secret, SourceWiringKind, StateWord};
use dawnwatch::core::calendar::DayRule;
use dawnwatch::core::plan::{DateShift, DigestAbout, Evidence, Id, Language, Manner, Need, When};
use dawnwatch::core::time::ClockTime;
use secrecy::ExposeSecret;
use std::path::PathBuf;

fn accepted(more: &str) -> Loaded {
    let folder = Folder::new(&[("dawnwatch.toml", BASE), ("conf.d/case.toml", more)]);
    folder.load(None, &[]).unwrap_or_else(|refused| panic!("{}", folder.lines(&refused.errors)))
}

#[test]
fn what_is_left_out_has_its_default() {
    let Loaded { plan, wiring, warnings, .. } = accepted("");
    assert_eq!(warnings, []);
    assert_eq!(plan.retention, TimeDelta::days(400));
    assert_eq!(plan.fingerprint.len(), 12);
    assert!(wiring.store.ends_with("dawnwatch.db"));
    assert_eq!(wiring.web.unwrap().listen.to_string(), "127.0.0.1:8606");
    let airflow = Id::from("airflow");
    assert_eq!(plan.sources[&airflow].every, TimeDelta::seconds(60));
    assert_eq!(wiring.sources[&airflow].timeout, TimeDelta::seconds(10));
    let check = &plan.checks[&Id::from("sales_mart")];
    assert_eq!((check.subject.as_str(), check.evidence), ("sales_mart", Evidence::Pipeline));
    let exec = &plan.dashboards[&Id::from("exec")];
    assert_eq!(exec.name, "exec");
    assert_eq!(exec.needs, [Need::Check(Id::from("sales_mart")), Need::Group(Id::from("mart"))]);
    assert_eq!((exec.reaction, exec.at_latest), (TimeDelta::minutes(20), TimeDelta::minutes(15)));
    assert_eq!((exec.escalate_after, exec.wake), (TimeDelta::minutes(30), false));
    assert_eq!((exec.counts_from, &exec.on, &exec.audience), (ClockTime::at(0, 0), &DayRule::Daily, &DayRule::Daily));
    assert_eq!(plan.chats[&Id::from("terminal")].language, Language::En);
}

#[test]
fn a_check_takes_what_it_lacks_from_its_templates() {
    let plan = accepted(
        "[templates.all]\nowner = \"data\"\nduration = \"10m\"\nsource = \"airflow\"\n\
         [templates.daily]\nextends = \"all\"\nduration = \"40m\"\non = \"mon-fri\"\n\
         [checks.a]\nextends = \"daily\"\nduration = \"55m\"\nid = \"a_daily\"\nmax_age = \"1d\"\n\
         [groups.g]\nextends = \"daily\"\nmatch = { ids = [\"g_*\"] }\nexclude = { tags = [\"test\"] }\nowner = \"airflow\"\n[owners.data]",
    )
    .plan;
    let check = &plan.checks[&Id::from("a")];
    assert_eq!((check.duration, check.owner.as_deref()), (Some(TimeDelta::minutes(55)), Some("data")));
    assert_eq!((check.subject.as_str(), check.source.as_str()), ("a_daily", "airflow"));
    let group = &plan.groups[&Id::from("g")];
    assert_eq!((group.each.duration, group.each.owner.as_deref()), (Some(TimeDelta::minutes(40)), None));
    assert!(matches!(group.each.on, Some(DayRule::Weekdays(_))));
    assert!(group.each.subject.as_str().is_empty());
    assert!(group.matches.holds("g_1", &[], &[]) && group.exclude.holds("g_1", &["test".to_owned()], &[]));
}

#[test]
fn evidence_follows_the_source() {
    let plan = accepted(
        "[checks.job]\nsource = \"jobs\"\nmax_age = \"1d\"\nrun = \"03:00\"\n\
         [checks.table]\nsource = \"tables\"\nmax_age = \"1d\"\n\
         [checks.events]\nsource = \"tables\"\nthrough = \"-1d 23:50\"\nmax_age = \"1d\"",
    )
    .plan;
    let evidence = |id: &str| plan.checks[&Id::from(id)].evidence;
    assert_eq!(evidence("job"), Evidence::Pipeline);
    assert_eq!(evidence("table"), Evidence::ArrivalTime);
    assert_eq!(evidence("events"), Evidence::DataTime { through: "-1d 23:50".parse().unwrap() });
}

#[test]
fn a_luigi_needs_no_login_and_lists_what_it_has() {
    let Loaded { plan, wiring, .. } = accepted(
        "[sources.luigi]\nkind = \"luigi\"\nurl = \"http://luigi.example.com:8082\"\n\
         [checks.loads]\nsource = \"luigi\"\nid = \"Load*_kr_*\"\nmax_age = \"1d\"\n\
         [groups.marts]\nsource = \"luigi\"\nmatch = { ids = [\"Mart*\"] }\nmax_age = \"1d\"",
    );
    assert_eq!(plan.checks[&Id::from("loads")].evidence, Evidence::Pipeline);
    let SourceWiringKind::Luigi { url } = &wiring.sources[&Id::from("luigi")].kind else { panic!() };
    assert_eq!(url.as_str(), "http://luigi.example.com:8082/");
}

#[test]
fn databases_are_wired_and_their_checks_ask() {
    let Loaded { plan, wiring, .. } = accepted(
        "[sources.rows]\nkind = \"sql\"\nurl = \"sqlite:mart.db\"\nquery = \"select id, at from t\"\n\
         [sources.each]\nkind = \"sql\"\nurl = { env = \"WAREHOUSE_URL\" }\ntimezone = \"Asia/Seoul\"\nca_file = \"ca.pem\"\n\
         [sources.open]\nkind = \"sql\"\nurl = \"postgres://watch@db.example.com/mart\"\n\
         [sources.near]\nkind = \"sql\"\nurl = \"postgres://watch:hush@127.0.0.1:5432/mart\"\n\
         [sources.also_near]\nkind = \"sql\"\nurl = { value = \"postgres://watch:hush@[::1]/mart\" }\n\
         [checks.row]\nsource = \"rows\"\nmax_age = \"1d\"\n\
         [checks.named]\nsource = \"rows\"\nid = \"mart.orders\"\nmax_age = \"1d\"\nthrough = \"-1d 23:50\"\n\
         [checks.own]\nsource = \"each\"\nquery = \" select max(at) from t \"\nmax_age = \"1d\"",
    );
    let check = |id: &str| &plan.checks[&Id::from(id)];
    let through = Evidence::DataTime { through: "-1d 23:50".parse().unwrap() };
    assert_eq!((check("row").subject.as_str(), check("row").evidence), ("row", Evidence::ArrivalTime));
    assert_eq!((check("named").subject.as_str(), check("named").evidence), ("mart.orders", through));
    assert_eq!(check("own").subject.as_str(), "select max(at) from t");
    let sql = |id: &str| match &wiring.sources[&Id::from(id)].kind {
        SourceWiringKind::Sql(sql) => sql.clone(),
        other => panic!("{other:?}"),
    };
    assert!(matches!(sql("rows").database, Database::Sqlite(path) if path.ends_with("conf.d/mart.db")));
    assert_eq!(sql("rows").rows.as_deref(), Some("select id, at from t"));
    assert!(matches!(sql("each").database, Database::Secret { url: Secret::Env(_), folder } if folder.ends_with("conf.d")));
    assert_eq!((sql("each").timezone, sql("each").rows), (Some(chrono_tz::Asia::Seoul), None));
    for open in ["open", "near", "also_near"] {
        assert!(matches!(sql(open).database, Database::Secret { url: Secret::Value(_), .. }), "{open}");
    }
    assert!(!format!("{wiring:?}").contains("hush"));
}

#[test]
fn paths_become_subjects_with_their_dates_and_nodes() {
    let Loaded { plan, wiring, .. } = accepted(
        "[sources.landing]\nkind = \"file\"\nroot = \"data\"\n\
         [checks.plain]\nsource = \"landing\"\npath = \"a/**/*.csv\"\nmax_age = \"1d\"\n\
         [checks.today]\nsource = \"landing\"\npath = \"a/{date:%Y%m%d}\"\nmax_age = \"1d\"\n\
         [checks.before]\nsource = \"landing\"\npath = \"a/{date:%F}\"\ndate = \"-1 kr:workdays\"\nmax_age = \"1d\"\n\
         [checks.table]\nsource = \"landing\"\npath = \"t/sources.json\"\ndbt = \"source.a.b.c\"\nthrough = \"00:00\"\nmax_age = \"1d\"\n\
         [checks.models]\nsource = \"landing\"\npath = \"t/run_results.json\"\ndbt = \"model.a.*\"\nmax_age = \"1d\"\nrun = \"03:00\"",
    );
    let told = |id: &str| {
        let check = &plan.checks[&Id::from(id)];
        (check.subject.to_string(), check.evidence, check.dated.clone())
    };
    let arrival = Evidence::ArrivalTime;
    assert_eq!(told("plain"), ("a/**/*.csv".to_owned(), arrival, None));
    assert_eq!(told("today"), ("a/{date:%Y%m%d}".to_owned(), arrival, Some(DateShift::Days(0))));
    let workday = DateShift::Workdays { calendar: Id::from("kr"), count: -1 };
    assert_eq!(told("before"), ("a/{date:%F}".to_owned(), arrival, Some(workday)));
    let through = Evidence::DataTime { through: ClockTime::at(0, 0) };
    assert_eq!(told("table"), ("t/sources.json#source.a.b.c".to_owned(), through, None));
    assert_eq!(told("models"), ("t/run_results.json#model.a.*".to_owned(), Evidence::Pipeline, None));
    let landing = &wiring.sources[&Id::from("landing")].kind;
    assert!(matches!(landing, SourceWiringKind::File { root } if root.ends_with("conf.d/data")), "{landing:?}");
}

#[test]
fn chats_and_digests() {
    let Loaded { plan, wiring, .. } = accepted(
        "language = \"ko\"\n[chats.team]\nkind = \"slack\"\nurl = { env = \"HOOK\" }\nquiet = \"22:00-07:00\"\nfallback = \"backup\"\n\
         quiet_days = \"kr:offdays\"\nlanguage = \"en\"\n\
         [chats.backup]\nkind = \"webhook\"\nurl = \"http://127.0.0.1:1/x\"\nsecret = { value = \"hush\" }\n\
         [digests.morning]\nat = \"06:30\"\nto = [\"team\", \"backup\"]\ncalendar = \"kr\"\nwhen_all_green = { otherwise = \"quiet\" }",
    );
    let (team, backup) = (&plan.chats[&Id::from("team")], &plan.chats[&Id::from("backup")]);
    assert_eq!((team.language, team.idempotent, backup.language, backup.idempotent), (Language::En, false, Language::Ko, true));
    assert_eq!(team.fallback, Some(Id::from("backup")));
    let digest = &plan.digests[&Id::from("morning")];
    assert_eq!((digest.green_workdays, digest.green_otherwise), (Manner::Post, Manner::Quiet));
    match &wiring.chats[&Id::from("backup")] {
        ChatWiring::Webhook { secret: Some(secret), url: Address::Plain(_), .. } => {
            assert_eq!(secret.resolve().unwrap().expose_secret(), "hush");
        }
        other => panic!("{other:?}"),
    }
    assert!(!format!("{wiring:?}").contains("hush"));
}

#[test]
fn a_digest_tells_how_all_stands_or_what_the_week_came_to() {
    let about = |line: &str| {
        let plan = accepted(&format!("[digests.d]\nat = \"09:30\"\non = \"mon\"\nto = [\"terminal\"]\n{line}")).plan;
        plan.digests[&Id::from("d")].about
    };
    assert_eq!(about(""), DigestAbout::Now);
    assert_eq!(about("about = \"now\""), DigestAbout::Now);
    assert_eq!(about("about = \"week\""), DigestAbout::Week);
}

#[test]
fn a_digest_may_wait_until_all_is_ready() {
    let plan = accepted("[digests.d]\nat = { when = \"ready\", latest = \"08:30\" }\nto = [\"terminal\"]").plan;
    assert_eq!(plan.digests[&Id::from("d")].when, When::Ready { latest: ClockTime::at(8, 30) });
}

#[test]
fn the_heartbeat_is_wired_and_left_out_where_nobody_wants_one() {
    let none = accepted("");
    assert!(none.plan.heartbeat_every.is_none() && none.wiring.heartbeat.is_none());
    let secret = accepted("[heartbeat]\nurl = { env = \"BEAT\" }");
    assert_eq!(secret.plan.heartbeat_every, Some(TimeDelta::minutes(5)));
    assert!(matches!(secret.wiring.heartbeat, Some(Address::Secret(Secret::Env(name))) if name == "BEAT"));
    let plain = accepted("[heartbeat]\nurl = \"https://beat.example.com/x\"\nevery = \"30s\"");
    assert_eq!(plain.plan.heartbeat_every, Some(TimeDelta::seconds(30)));
    assert!(matches!(plain.wiring.heartbeat, Some(Address::Plain(url)) if url.path() == "/x"));
}

#[test]
fn maintenance_is_daily_and_the_whole_day_unless_it_says_otherwise() {
    let plan = accepted(
        "[maintenance.night]\nsources = [\"jobs\"]\non = \"day 1\"\nhours = \"23:30-00:30\"\n\
         [maintenance.table]\nchecks = [\"sales_mart\"]",
    )
    .plan;
    let night = &plan.maintenance[&Id::from("night")];
    assert_eq!((&night.sources, night.checks.len(), &night.on), (&[Id::from("jobs")].into(), 0, &DayRule::DayOfMonth(1)));
    assert!(night.hours.is_some_and(|hours| hours.contains("00:29".parse::<ClockTime>().unwrap().time)));
    let table = &plan.maintenance[&Id::from("table")];
    assert_eq!((&table.checks, &table.on, table.hours), (&[Id::from("sales_mart")].into(), &DayRule::Daily, None));
}

#[test]
fn sources_of_one_host_and_port_share_its_number() {
    let plan = accepted(
        "[sources.same]\nkind = \"http\"\nurl = \"http://127.0.0.1:9000/other/{id}\"\nstate = \"$.s\"\n\
         [sources.tables_too]\nkind = \"http\"\nurl = \"https://tables.example.com:443/x\"\nstate = \"$.s\"",
    )
    .plan;
    let host = |id: &str| plan.sources[&Id::from(id)].host;
    assert!(plan.sources.values().all(|source| source.host.is_some()));
    assert_eq!((host("same"), host("tables_too")), (host("jobs"), host("tables")));
    // One machine, two ports: what is down there is two things.
    assert!(host("airflow") != host("jobs") && host("jobs") != host("tables"));
}

#[test]
fn an_http_source_is_wired_as_written() {
    let wiring = accepted(
        "[sources.x]\nkind = \"http\"\nurl = \"https://jobs.example.com/a/{id}?full=1\"\nstate = \"$.s\"\ntimeout = \"20s\"\n\
         ca_file = \"ca.pem\"\nheaders = { X-Api-Key = { env = \"K\" }, accept = \"application/json\" }\nstates = { failed = [\"err*\"] }",
    )
    .wiring;
    let source = &wiring.sources[&Id::from("x")];
    assert!(source.ca_file.as_ref().is_some_and(|path| path.ends_with("conf.d/ca.pem")));
    let SourceWiringKind::Http(http) = &source.kind else { panic!("{source:?}") };
    assert_eq!(http.url, "https://jobs.example.com/a/{id}?full=1");
    assert_eq!(http.states[&StateWord::Failed], ["err*"]);
    assert!(http.headers.contains_key("x-api-key"));
}

#[test]
fn calendars_take_files_and_exceptions() {
    let ics = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Founding day\r\nDTSTART;VALUE=DATE:20260706\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let case = "[calendars.own]\nholidays = [\"builtin:KR\", \"company.ics\"]\noff = [2026-12-31]\nwork = [\"2026-05-01\"]\n\
                [calendars.file]\nholidays = [\"company.ics\"]\nweekend = [\"fri\", \"sat\"]";
    let folder = Folder::new(&[("dawnwatch.toml", BASE), ("conf.d/case.toml", case), ("conf.d/company.ics", ics)]);
    let plan = folder.load(None, &[]).unwrap().plan;
    let own = &plan.calendars[&Id::from("own")];
    let workday = |day: &str| own.is_workday(day.parse().unwrap());
    let days = ["2026-07-06", "2026-12-31", "2026-05-01", "2026-07-07", "2026-07-17", "2028-01-03"].map(workday);
    assert_eq!(days, [Some(false), Some(false), Some(true), Some(true), Some(false), None]);
    let file = &plan.calendars[&Id::from("file")];
    assert_eq!(file.covered.map(|(_, last)| last.to_string()).as_deref(), Some("2026-12-31"));
    assert_eq!(file.is_workday("2026-07-10".parse().unwrap()), Some(false));
}

#[test]
fn a_secret_is_looked_up_late_and_named_never_shown() {
    let folder =
        Folder::new(&[("token", "hush\n"), ("empty", "\n"), ("url", "https://example.com/hush\r\n"), ("bad", "hush hush")]);
    let file = |name: &str| Secret::File(folder.0.path().join(name));
    assert_eq!(file("token").resolve().unwrap().expose_secret(), "hush");
    assert_eq!(Address::Secret(file("url")).resolve().unwrap().path(), "/hush");
    let errors = [
        file("empty").resolve().unwrap_err(),
        file("none").resolve().unwrap_err(),
        Secret::File(PathBuf::from(folder.0.path())).resolve().unwrap_err(),
        Secret::Env("DAWNWATCH_NO_SUCH_VARIABLE".to_owned()).resolve().unwrap_err(),
        Address::Secret(file("bad")).resolve().unwrap_err(),
    ];
    let expected = [
        "/empty is empty",
        "/none cannot be read",
        "cannot be read",
        "DAWNWATCH_NO_SUCH_VARIABLE is not set",
        "does not hold a URL",
    ];
    for (error, expected) in errors.iter().zip(expected) {
        assert!(error.contains(expected) && !error.contains("hush"), "{error}");
    }
}

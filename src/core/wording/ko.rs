//! Korean. Particles follow how the word before them is read aloud (`josa`).

use super::context::{Context, Unit, number, parts};
use super::marked::{bare, quote};
use super::words::{Heading, Label, Note, Prospect, Words};
use crate::core::command::Muted;
use crate::core::message::{AskedBecause, DigestVerdict, LastSeen, Next, NotSeen, NotStarted, Situation};
use crate::core::observation::{Failure, Why};
use crate::core::plan::Language;
use crate::core::state::{Attention, Cause, Own, Verdict};
use crate::core::tally::{Deadlines, Digests, Words as Said};
use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};

pub(super) struct Korean;

/// Does the word end in a consonant when it is read aloud?
fn ends_closed(word: &str) -> bool {
    let letters: Vec<char> = bare(word).chars().rev().filter(|c| c.is_alphanumeric()).take(3).collect();
    let Some(&last) = letters.first() else { return false };
    let before = |i: usize| letters.get(i).map(char::to_ascii_lowercase);
    let vowel = |c: Option<char>| c.is_some_and(|c| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y'));
    match last {
        '가'..='힣' => (u32::from(last) - u32::from('가')) % 28 != 0,
        // 영 일 삼 육 칠 팔
        '0' | '1' | '3' | '6' | '7' | '8' => true,
        // A letter of its own is read by its name: 엘 엠 엔 아르.
        'L' | 'M' | 'N' => true,
        'l' | 'm' | 'n' => true,
        // ng: 잉
        'g' => before(1) == Some('n'),
        // ck: 블록
        'k' if before(1) == Some('c') => true,
        // A stop after one short vowel is read as a final consonant: map 맵, snapshot 스냅샷; but mart 마트, sheet 시트.
        'b' | 'c' | 'k' | 'p' | 't' => vowel(before(1)) && !vowel(before(2)),
        _ => false,
    }
}

/// The word with the particle that fits it: `josa("쓰기", "이", "가")`.
fn josa(word: &str, closed: &str, open: &str) -> String {
    format!("{word}{}", if ends_closed(word) { closed } else { open })
}

/// 이/가
fn ga(word: &str) -> String {
    josa(word, "이", "가")
}

/// 은/는
fn neun(word: &str) -> String {
    josa(word, "은", "는")
}

/// 을/를
fn reul(word: &str) -> String {
    josa(word, "을", "를")
}

fn weekday(day: NaiveDate) -> &'static str {
    match day.weekday() {
        Weekday::Mon => "월",
        Weekday::Tue => "화",
        Weekday::Wed => "수",
        Weekday::Thu => "목",
        Weekday::Fri => "금",
        Weekday::Sat => "토",
        Weekday::Sun => "일",
    }
}

impl Words for Korean {
    fn language(&self) -> Language {
        Language::Ko
    }

    fn day(&self, day: NaiveDate) -> String {
        format!("{}월 {}일({})", day.month(), day.day(), weekday(day))
    }

    fn date(&self, day: NaiveDate) -> String {
        format!("{}년 {}", day.year(), self.day(day))
    }

    fn span(&self, span: TimeDelta) -> String {
        let word = |(n, unit): (i64, Unit)| match unit {
            Unit::Day => format!("{n}일"),
            Unit::Hour => format!("{n}시간"),
            Unit::Minute => format!("{n}분"),
        };
        match parts(span) {
            None => "1분 미만".to_owned(),
            Some([first, (0, _)]) => word(first),
            Some([first, second]) => format!("{} {}", word(first), word(second)),
        }
    }

    fn label(&self, label: Label) -> &'static str {
        match label {
            Label::ActBy => "조치 기한",
            Label::Answer => "응답",
            Label::Arrived => "도착",
            Label::Blind => "못 봄",
            Label::Cause => "원인",
            Label::Chat => "채팅",
            Label::Clock => "시계",
            Label::Deadline => "마감",
            Label::Error => "오류",
            Label::Eta => "예상 완료",
            Label::FalseAlarm => "오경보",
            Label::Grouped => "알림 묶음",
            Label::Healed => "자동 복구",
            Label::Heartbeat => "최근 신호",
            Label::Last => "끝 날짜",
            Label::LastGood => "직전 정상",
            Label::LastSeen => "직전 상태",
            Label::Lasted => "지속",
            Label::Latest => "최종 도착",
            Label::Margin => "여유",
            Label::Missed => "마감 위반",
            Label::More => "그 밖에",
            Label::Newest => "최신 자료",
            Label::OnTime => "마감 준수",
            Label::Others => "다른 소스",
            Label::Owner => "담당",
            Label::Queued => "대기열",
            Label::Quiet => "조용함",
            Label::Readers => "독자 안내",
            Label::Recovered => "복구",
            Label::Runbook => "런북",
            Label::Running => "실행 중",
            Label::Silent => "응답 없음",
            Label::Sources => "소스",
            Label::Start => "시작 예정",
            Label::Taken => "담당자",
            Label::Task => "태스크",
            Label::Unknown => "미확인",
            Label::Usual => "평소 도착",
            Label::Woken => "깨움",
        }
    }

    fn heading(&self, heading: Heading) -> &'static str {
        match heading {
            Heading::ByDeadline => "마감이 걸린 것부터",
            Heading::Causes => "원인",
            Heading::Worth => "눈여겨볼 것",
            Heading::Runbook => "런북",
            Heading::Dashboard => "대시보드 열기",
        }
    }

    fn note(&self, note: Note) -> &'static str {
        match note {
            Note::NeitherGoodNorBad => "정상이라는 뜻도, 실패라는 뜻도 아닙니다.",
            Note::NoOtherSource => "다른 소스도 모두 응답하지 않습니다. 감시기 쪽 네트워크 문제일 수 있습니다.",
            Note::OutsideDashboards => "이것을 기다리는 대시보드는 없습니다.",
            Note::NoAudience => "그날은 보는 사람 없음",
            Note::NothingToDo => "조치할 일 없음",
            Note::NothingToDoAtAll => "조치할 일이 없습니다.",
            Note::AllDashboardsReady => "마감이 있는 대시보드가 모두 준비됐습니다.",
            Note::NoDashboardDue => "오늘 마감인 대시보드 없음",
            Note::NoDashboardDueAtAll => "오늘 마감인 대시보드가 없습니다.",
            Note::AllMuted => "오늘 마감인 대시보드는 모두 알림이 꺼져 있습니다.",
            Note::PipelinesFine => "파이프라인에는 문제가 없고, 감시기 자체를 살펴봐야 합니다.",
            Note::NotAllSeen => "응답하지 않은 소스가 있어, 그 소스의 파이프라인은 상태를 알 수 없습니다.",
            Note::NotYetWatched => "처음 확인했을 때 이미 마감이 지나 있었습니다. 다음 마감 구간부터 판단합니다.",
            Note::NoFurtherWord => "이 건은 더 알리지 않습니다",
            Note::NoErrorLine => "소스가 오류 내용을 주지 않음",
            Note::OwnerUnknown => "지정되지 않음",
            Note::NotReady => "준비 안 됨",
            Note::NeverSeen => "한 번도 없음",
            Note::OnlyMaintenance => "유지보수 중인 것 말고는 문제가 없습니다.",
            Note::ReloadRefused => "새 설정이 거부되어 이전 설정 사용 중",
            Note::TimesAsGiven => "어느 쪽이 맞는지는 알 수 없으며, 이 소스의 시각은 소스가 준 그대로 적습니다.",
            Note::OnlyTheTelling => "그 채팅만 보는 사람에게는 알림이 가지 않습니다. 감시는 계속됩니다.",
        }
    }

    fn verdict(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::NotDue => "마감 아님",
            Verdict::NotWatched => "감시 안 함",
            Verdict::Ready => "준비 완료",
            Verdict::OnTrack => "순조",
            Verdict::AtRisk => "지연 위험",
            Verdict::Late => "지연",
            Verdict::Unknown => "확인 불가",
            Verdict::Failed => "실패",
        }
    }

    fn later(&self, verdict: &str) -> String {
        format!("{verdict}(후속)")
    }

    fn why(&self, why: Why) -> &'static str {
        match why {
            Why::Connect => "연결 안 됨",
            Why::Timeout => "시간 안에 응답 없음",
            Why::Tls => "신뢰할 수 없는 연결",
            Why::Auth => "로그인 거부",
            Why::Status => "오류 응답",
            Why::TooLarge => "응답이 너무 큼",
            Why::Malformed => "읽을 수 없는 응답",
            Why::Redirect => "다른 곳으로 넘김",
        }
    }

    fn subject(&self, cause: &Cause, name: &str) -> String {
        match cause {
            Cause::Check(_) => name.to_owned(),
            Cause::Source(_) => format!("소스 {name}"),
            Cause::Scheduler(_) => format!("{name} 스케줄러"),
            Cause::Calendar(_) => format!("달력 {name}"),
            Cause::Group(_) => format!("그룹 {name}"),
            Cause::Clock(_) => format!("{name} 시계"),
            Cause::Watch(_) => format!("감시기 {name}"),
        }
    }

    fn briefly(&self, cx: &Context<'_>, subject: &str, situation: &Situation) -> String {
        match situation {
            Situation::Failed { doomed: false, .. } => subject.to_owned(),
            Situation::Failed { doomed: true, .. } => format!("{subject} 실패 확정"),
            Situation::RunningLong { started_at, .. } => format!("{subject} {}째 실행 중", cx.since(*started_at)),
            Situation::Queued { since } => format!("{subject} {}째 대기열에", cx.since(*since)),
            Situation::CatchingUp { .. } => format!("{subject} 복구됨, 시간 부족"),
            Situation::Retrying { .. } => format!("{subject} 재시도 중"),
            Situation::Waiting { .. } => format!("{subject} 입력 대기 중"),
            Situation::AsEver { .. } => format!("{subject} 평소대로면 늦음"),
            Situation::NotStarted(NotStarted::Paused) => format!("{subject} 일시 중지됨"),
            Situation::NotStarted(NotStarted::ImportError) => format!("{subject} 코드 불러오기 오류"),
            Situation::NotStarted(NotStarted::Forgotten) => format!("{subject} 소스에 기록 없음"),
            Situation::NotStarted(NotStarted::Scheduled(_) | NotStarted::NoReason) => format!("{subject} 시작 안 함"),
            Situation::NoData { .. } => format!("{subject} 미도착"),
            Situation::Stale { newest, .. } => format!("{subject} {} 전 자료", cx.since(*newest)),
            Situation::SourceDark { .. } => format!("{subject} 응답 없음"),
            Situation::SchedulerDead { .. } => format!("{subject} 멈춤"),
            Situation::SelfSuspected { silent, sources, .. } => {
                format!("소스 {}개 중 {}개 동시에 응답 없음, 감시기 네트워크 의심", number(*sources), number(*silent))
            }
            Situation::ClockOff { ahead_s } => self.clock_off(subject, &cx.seconds(*ahead_s), *ahead_s > 0),
            Situation::OwnClockOff { behind_s, .. } => self.clock_off(subject, &cx.seconds(*behind_s), *behind_s < 0),
            Situation::NotSeen { why: NotSeen::Vanished } => format!("{subject} 사라짐"),
            Situation::NotSeen { why: NotSeen::NeverSeen } => format!("{subject} 본 적 없음"),
            Situation::NotSeen { why: NotSeen::Suspicious(_) } => format!("{subject} 이상한 응답"),
            Situation::NotSeen { why: NotSeen::FutureData(_) } => format!("{subject} 미래 시각 자료"),
            Situation::NoMembers => format!("{subject} 해당 없음"),
            Situation::CalendarEnded { .. } => format!("{subject} 기간 끝남"),
        }
    }

    fn happened(&self, cx: &Context<'_>, subject: &str, situation: &Situation) -> String {
        let ga = ga(subject);
        match situation {
            Situation::Failed { at: Some(at), doomed: false, .. } => format!("{ga} {}에 실패했습니다.", cx.clock(*at)),
            Situation::Failed { at: None, doomed: false, .. } => format!("{ga} 실패했습니다."),
            Situation::Failed { doomed: true, .. } => {
                format!("{ga} 아직 실행 중이지만 그 안의 태스크가 최종 실패해, 이 실행은 실패로 끝납니다.")
            }
            Situation::RunningLong { started_at, usual_s: Some(usual_s) } => {
                let usual = cx.span(TimeDelta::seconds(*usual_s));
                format!("{ga} {}째 실행 중입니다(평소 {usual}).", cx.since(*started_at))
            }
            Situation::RunningLong { started_at, usual_s: None } => format!("{ga} {}째 실행 중입니다.", cx.since(*started_at)),
            Situation::Queued { since } => format!("{ga} {}째 대기열에서 기다리고 있습니다.", cx.since(*since)),
            Situation::CatchingUp { recovered_at } => {
                format!("{ga} {}에 복구됐지만, 기다리던 것들이 마감까지 끝나지 못합니다.", cx.clock(*recovered_at))
            }
            Situation::Retrying { .. } => format!("{subject}의 태스크가 실패해 다음 재시도를 기다리고 있습니다."),
            Situation::Waiting { .. } => format!("{ga} 자기 입력을 기다리고만 있습니다."),
            Situation::AsEver { comes_at } => {
                format!("{ga} 평소대로면 {}쯤 도착하여 늦습니다.", cx.clock(*comes_at))
            }
            Situation::NotStarted(NotStarted::Paused) => format!("{ga} 시작하지 않았습니다. 일시 중지된 상태입니다."),
            Situation::NotStarted(NotStarted::ImportError) => {
                format!("{ga} 시작하지 않았습니다. 코드를 불러오지 못합니다(import error).")
            }
            Situation::NotStarted(NotStarted::Scheduled(at)) => {
                format!("{ga} 시작하지 않았습니다. 소스의 예정 시각은 {}입니다.", cx.clock(*at))
            }
            Situation::NotStarted(NotStarted::Forgotten) => {
                format!("지금 소스에 {subject} 기록이 없습니다. 아직 시작하지 않았거나, 끝난 뒤 기록이 지워졌습니다.")
            }
            Situation::NotStarted(NotStarted::NoReason) => format!("{ga} 시작하지 않았습니다. 소스는 이유를 알려 주지 않습니다."),
            Situation::NoData { newest: Some(newest) } => {
                format!("{}의 새 자료가 없습니다. 가장 최근 자료는 {} 것입니다.", subject, cx.clock(*newest))
            }
            Situation::NoData { newest: None } => format!("{subject}에 자료가 하나도 없습니다."),
            Situation::Stale { newest, max_age_s } => {
                let limit = cx.span(TimeDelta::seconds(*max_age_s));
                format!("{ga} 오래됐습니다. 가장 최근 자료가 {} 전 것입니다(허용 {limit}).", cx.since(*newest))
            }
            Situation::SourceDark { .. } => format!("{ga} 응답하지 않습니다."),
            Situation::SchedulerDead { .. } => format!("{ga} 살아 있다는 신호를 보내지 않아, 새로 시작되는 것이 없습니다."),
            Situation::SelfSuspected { silent, sources, hosts, .. } => {
                let silent = format!("소스 {}개 중 {}개가 동시에 응답을 멈췄습니다", number(*sources), number(*silent));
                format!("{silent}(호스트 {}곳). {subject} 문제일 가능성이 큽니다.", number(*hosts))
            }
            Situation::ClockOff { ahead_s } => {
                let off = if *ahead_s > 0 { "빠릅니다" } else { "느립니다" };
                format!("{ga} 감시기보다 {} {off}.", cx.seconds(*ahead_s))
            }
            Situation::OwnClockOff { behind_s, sources } => {
                let off = if *behind_s < 0 { "빠릅니다" } else { "느립니다" };
                let off = format!("{ga} {} {off}", cx.seconds(*behind_s));
                format!("시각을 알려 주는 소스 {}개가 모두 같습니다. {off}. 마감은 이 시계로 판단합니다.", number(*sources))
            }
            Situation::NotSeen { why: NotSeen::Vanished } => format!("{ga} 사라졌습니다. 소스가 더는 알지 못합니다."),
            Situation::NotSeen { why: NotSeen::NeverSeen } => format!("{} 본 적이 없습니다. 소스가 알지 못합니다.", reul(subject)),
            Situation::NotSeen { why: NotSeen::Suspicious(_) } => format!("{subject}에 대한 소스의 응답이 말이 되지 않습니다."),
            Situation::NotSeen { why: NotSeen::FutureData(_) } => format!("{subject}의 시각이 미래입니다."),
            Situation::NoMembers => format!("{subject}에 맞는 것이 소스의 목록에 없어, 무엇을 기다려야 할지 알 수 없습니다."),
            Situation::CalendarEnded { last, .. } => {
                format!("{}까지만 자료가 있어, 근무일인지 알 수 없습니다.", neun(subject) + " " + &self.date(*last))
            }
        }
    }

    fn consequence(&self, dashboard: &str, deadline: &str, prospect: &Prospect) -> String {
        let neun = neun(dashboard);
        match prospect {
            Prospect::Missed { eta: None } => format!("{neun} 마감({deadline})을 넘겼습니다."),
            Prospect::Missed { eta: Some(eta) } => format!("{neun} 마감({deadline})을 넘겼고, {eta}에 준비될 것으로 보입니다."),
            Prospect::Late { eta, by } => format!("이대로면 {neun} 마감({deadline})보다 {by} 늦은 {eta}에 준비됩니다."),
            Prospect::MayMiss { eta, high } => {
                format!("{neun} {eta}에 준비될 것으로 보이지만, 마감({deadline})을 넘겨 {high}까지 걸릴 수 있습니다.")
            }
            Prospect::InTime { eta } => format!("{neun} 마감({deadline}) 전인 {eta}에 준비될 것으로 보입니다."),
            Prospect::CannotSay => format!("{} 마감({deadline})을 지킬지 알 수 없습니다.", ga(dashboard)),
            Prospect::Waits => format!("{deadline} 마감인 {neun} 이것 없이 준비될 수 없습니다."),
        }
    }

    fn waits(&self, waiting: usize) -> String {
        format!("파이프라인 {}개가 기다리고 있습니다.", number(waiting))
    }

    fn waits_and_rest(&self, waiting: usize, untouched: usize, checks: usize) -> String {
        let rest = format!("전체 {}개 중 {}개는 영향이 없습니다.", number(checks), number(untouched));
        format!("파이프라인 {}개가 기다리고 있고, {rest}", number(waiting))
    }

    fn alike(&self, alike: usize, failed: bool) -> String {
        if failed {
            format!("같은 소스에서 같은 때에 같은 오류로 {}개가 더 실패했습니다.", number(alike))
        } else {
            format!("같은 소스의 {}개가 더 같은 상태입니다.", number(alike))
        }
    }

    fn unknown_among(&self, unknown: usize, checks: usize) -> String {
        self.unknown_of(unknown, checks, 0)
    }

    fn unknown_of(&self, unknown: usize, checks: usize, arrived: usize) -> String {
        let state = format!("파이프라인 {}개 중 {}개의 상태를 알 수 없습니다.", number(checks), number(unknown));
        match arrived {
            0 => state,
            n => format!("{state} {}개는 그 전에 도착했으므로 그대로 준비 완료입니다.", number(n)),
        }
    }

    fn waiting_short(&self, waiting: usize) -> String {
        format!("{}개 대기", number(waiting))
    }

    fn waiting_of(&self, waiting: usize, checks: usize) -> String {
        format!("{}개 중 {}개 대기", number(checks), number(waiting))
    }

    fn unknown_short(&self, unknown: usize, checks: usize) -> String {
        format!("{}개 중 {}개 상태 모름", number(checks), number(unknown))
    }

    fn act_by_short(&self, at: &str, over: bool) -> String {
        if over { format!("조치 기한 {at} 지남") } else { format!("{at}까지 조치 필요") }
    }

    fn act_by_over(&self, at: &str) -> String {
        format!("{at} 지남, 지금 고쳐도 늦기 쉬움")
    }

    fn eta_short(&self, at: &str, late_by: Option<&str>) -> String {
        late_by.map_or_else(|| format!("예상 {at}"), |by| format!("예상 {at}(+{by})"))
    }

    fn and_more(&self, text: &str, more: usize) -> String {
        if more == 0 { text.to_owned() } else { format!("{text} 외 {}건", number(more)) }
    }

    fn more_dashboards(&self, more: usize) -> String {
        format!("대시보드 {}개 더", number(more))
    }

    fn more_incidents(&self, more: usize) -> String {
        format!("원인 {}건 더", number(more))
    }

    fn deadline_in(&self, at: &str, span: &str) -> String {
        format!("{at}, {span} 남음")
    }

    fn deadline_over(&self, at: &str, span: Option<&str>) -> String {
        span.map_or_else(|| format!("{at}, 지금"), |span| format!("{at}, {span} 지남"))
    }

    fn missed_short(&self) -> &'static str {
        "마감 넘김"
    }

    fn readers(&self, at: &str, high: &str) -> String {
        if at == high { format!("{at} 예상") } else { format!("{at} 예상, 늦어도 {high}로 안내") }
    }

    fn readers_if_repaired(&self, at: &str) -> String {
        format!("지금 고치기 시작하면 {at}쯤")
    }

    fn chance(&self, percent: u8) -> String {
        match percent {
            ..10 => "놓칠 확률 10% 미만".to_owned(),
            95.. => "놓칠 확률 90% 초과".to_owned(),
            percent => format!("놓칠 확률 {percent}%"),
        }
    }

    fn eta(&self, at: &str, range: Option<(&str, &str)>, nights: Option<u32>) -> String {
        let basis = match nights {
            Some(nights) => format!("지난 {nights}일 기록 기준"),
            None => "설정한 실행 시간 기준".to_owned(),
        };
        match range {
            Some((low, high)) => format!("{at} (구간 {low}~{high}, {basis})"),
            None => format!("{at} ({basis})"),
        }
    }

    fn running(&self, since: &str, span: &str, usual: Option<&str>) -> String {
        let usual = usual.map_or_else(String::new, |u| format!(" (평소 {u})"));
        format!("{since}부터 {span}째{usual}")
    }

    fn silent(&self, since: &str, span: &str, tries: u32) -> String {
        match tries {
            0 => format!("{since}부터 {span}"),
            n => format!("{since}부터 {span} ({n}회 연속)"),
        }
    }

    fn ago(&self, at: &str, span: &str) -> String {
        format!("{at}, {span} 전")
    }

    fn usual(&self, arrives: &str, latest: &str, nights: u32) -> String {
        format!("{arrives}, 열에 아홉은 {latest}까지 (지난 {nights}일)")
    }

    fn last_seen(&self, at: &str, seen: &LastSeen) -> String {
        let rest = seen.checks.saturating_sub(seen.arrived + seen.running);
        format!("{at}, {}개 중 {}개 도착·{}개 실행 중·{}개 그 외", seen.checks, seen.arrived, seen.running, rest)
    }

    fn others(&self, answer: usize, others: usize) -> String {
        format!("나머지 {}개 중 {}개 응답", number(others), number(answer))
    }

    fn failure(&self, failure: &Failure) -> String {
        let task = failure.task.as_ref().map(|t| format!("태스크 {}", quote(t)));
        let tried = failure.try_number.map(|n| format!("{n}회차"));
        let place = [task, tried].into_iter().flatten().collect::<Vec<_>>().join(", ");
        match (&failure.error, place.is_empty()) {
            (Some(error), true) => quote(error),
            (Some(error), false) => format!("{place}: {}", quote(error)),
            (None, _) => place,
        }
    }

    fn resolved_word(&self, recovered: bool) -> &'static str {
        if recovered { "해결" } else { "종료" }
    }

    fn resolved_brief(&self, subject: &str, recovered: bool) -> String {
        if recovered { format!("{subject} 복구됨") } else { format!("{subject} 복구 안 됨") }
    }

    fn right_again(&self, subject: &str, at: Option<&str>) -> String {
        at.map_or_else(|| format!("{subject} 정상으로 돌아옴"), |at| format!("{} {at}에 정상으로 돌아왔습니다.", ga(subject)))
    }

    fn resolved_lead(&self, subject: &str, recovered: Option<&str>, waited: usize) -> String {
        let waited = match waited {
            0 | 1 => String::new(),
            n => format!(" 가장 많을 때 파이프라인 {}개가 멈춰 있었습니다.", number(n)),
        };
        match recovered {
            Some(at) => format!("{} {at}에 복구됐습니다.{waited}", ga(subject)),
            None => format!("{} 마감이 모두 지날 때까지 복구되지 않았습니다.{waited}", ga(subject)),
        }
    }

    fn ready_early(&self, at: &str, span: &str) -> String {
        format!("{at} 준비 완료({span} 전)")
    }

    fn ready_late(&self, at: &str, span: &str) -> String {
        format!("{at} 준비 완료({span} 늦음)")
    }

    fn ready_at(&self, at: &str) -> String {
        format!("{at} 준비 완료")
    }

    fn dashboard_made_it(&self, dashboard: &str, deadline: &str, ready: &str, early: &str) -> String {
        format!("{} 마감({deadline})보다 {early} 이른 {ready}에 준비됐습니다.", neun(dashboard))
    }

    fn dashboard_missed_it(&self, dashboard: &str, deadline: &str, ready: Option<(&str, &str)>) -> String {
        match ready {
            Some((at, late)) => format!("{} 마감({deadline})보다 {late} 늦은 {at}에 준비됐습니다.", neun(dashboard)),
            None => format!("{} 마감({deadline})까지 준비되지 않았습니다.", neun(dashboard)),
        }
    }

    fn missed_of(&self, missed: usize, deadlines: usize) -> String {
        format!("마감 {}건 중 {}건 위반", number(deadlines), number(missed))
    }

    fn kept(&self, _deadlines: usize) -> String {
        "마감 지킴".to_owned()
    }

    fn of_deadlines(&self, missed: usize, deadlines: usize) -> String {
        format!("{} / {}건", number(missed), number(deadlines))
    }

    fn lasted(&self, from: &str, to: &str, span: &str) -> String {
        format!("{from} → {to}, {span}")
    }

    fn digest_word(&self, verdict: DigestVerdict) -> &'static str {
        match verdict {
            DigestVerdict::Ready => "정상",
            DigestVerdict::OnTrack => "순조",
            DigestVerdict::NothingDue => "조용한 날",
            DigestVerdict::NotWatched => "아직 감시 전",
            DigestVerdict::Trouble(verdict @ (Verdict::AtRisk | Verdict::Unknown)) => self.verdict(verdict),
            DigestVerdict::Trouble(_) => "문제",
            DigestVerdict::Maintenance => "유지보수 중",
            DigestVerdict::WatchTrouble => "감시기 이상",
        }
    }

    fn check_of(&self, word: &str, day: &str, hour: &str) -> String {
        format!("{word} — {day} {hour} 점검")
    }

    fn is_ready(&self, dashboard: &str, deadline: &str) -> String {
        format!("{deadline} {dashboard} 준비 완료")
    }

    fn all_arrived(&self, dashboard: &str, deadline: &str) -> String {
        format!("{dashboard}({deadline})에 필요한 데이터가 모두 도착했습니다.")
    }

    fn under_way(&self, dashboard: &str, deadline: &str) -> String {
        format!("위험한 대시보드는 없습니다. {dashboard}({deadline})는 아직 준비 중입니다.")
    }

    fn doubtful(&self, dashboard: &str, deadline: &str, chance: &str) -> String {
        format!("아직 이상은 없지만 {dashboard}({deadline})는 늦을 수 있습니다. {chance}.")
    }

    fn all_ready_short(&self, dashboards: usize) -> String {
        format!("대시보드 {}개 모두 준비 완료", number(dashboards))
    }

    fn ready_of(&self, ready: usize, dashboards: usize) -> String {
        format!("대시보드 {}/{} 준비 완료", number(ready), number(dashboards))
    }

    fn arrived_of(&self, arrived: usize, checks: usize) -> String {
        format!("{}/{} 도착", number(arrived), number(checks))
    }

    fn state(&self, verdict: Verdict) -> &'static str {
        match verdict {
            Verdict::NotDue => "마감 아님",
            Verdict::NotWatched => "감시 안 함",
            Verdict::Ready => "준비 완료",
            Verdict::OnTrack => "순조",
            Verdict::AtRisk => "지연 위험",
            Verdict::Late => "늦음",
            Verdict::Unknown => "확인 불가",
            Verdict::Failed => "조치 없으면 마감 위반",
        }
    }

    fn trouble_lead(&self, incidents: usize, endangered: usize, dashboards: usize) -> String {
        let incidents = number(incidents);
        match (endangered, dashboards) {
            (_, 0) => format!("대시보드와 무관한 문제가 {incidents}건 있습니다."),
            (0, n) => format!("문제가 {incidents}건 있지만, 대시보드 {}개는 위험하지 않습니다.", number(n)),
            (e, n) => format!("원인 {incidents}건으로 대시보드 {}개 중 {}개에 문제가 있습니다.", number(n), number(e)),
        }
    }

    fn incident_state(&self, subject: &str, verdict: Verdict, recovering: bool) -> String {
        match (recovering, verdict) {
            (true, _) => format!("{subject} 복구됨, 따라잡는 중"),
            (false, Verdict::Failed) => format!("{subject} 실패"),
            (false, other) => format!("{subject} {}", self.state(other)),
        }
    }

    fn retired_brief(&self, subject: &str) -> String {
        format!("{subject} 제외됨")
    }

    fn retired_lead(&self, subject: &str, by: &str) -> String {
        format!("{by} 님이 {} 감시에서 제외했습니다. 이제 이것을 기다리는 것은 없습니다.", reul(subject))
    }

    fn taken(&self, by: &str, until: &str) -> String {
        format!("{by}, {until}까지")
    }

    fn muted(&self, what: &Muted, name: &str, by: &str, until: &str) -> String {
        let what = match what {
            Muted::Check(_) => "파이프라인",
            Muted::Dashboard(_) => "대시보드",
            Muted::Source(_) => "소스",
        };
        format!("{what} {name}: {until}까지 알림 끔({by})")
    }

    fn owner_short(&self, name: &str) -> String {
        format!("담당 {name}")
    }

    fn healed(&self, healed: usize) -> String {
        format!("{}건 (알리기 전에 스스로 복구)", number(healed))
    }

    fn sources(&self, answering: usize, sources: usize) -> String {
        format!("소스 {}/{} 응답", number(answering), number(sources))
    }

    fn answered(&self, answering: usize, sources: usize) -> String {
        format!("{} / {} 응답", number(answering), number(sources))
    }

    fn chat_broken(&self, chat: &str) -> String {
        format!("채팅 {} 메시지를 받지 않음", ga(chat))
    }

    fn chat_broken_lead(&self, chat: &str) -> String {
        format!("채팅 {} 메시지를 받지 않습니다.", ga(chat))
    }

    fn calendar_ends(&self, calendar: &str, last: &str, over: bool) -> String {
        if over {
            format!("달력 {calendar}: {last}에 자료가 끝남")
        } else {
            format!("달력 {calendar}: 자료가 {last}까지만 있음")
        }
    }

    fn moved(&self, name: &str, from: &str, to: &str, later: bool) -> String {
        let review = if later { " 마감 시각을 다시 볼까요?" } else { "" };
        format!("{name} 도착 시각이 {from}에서 {to}로 바뀐 것 같습니다.{review}")
    }

    fn in_maintenance(&self, subject: &str, until: &str) -> String {
        format!("{subject} 유지보수 중({until}까지)")
    }

    fn clock_off(&self, subject: &str, span: &str, ahead: bool) -> String {
        format!("{subject} {}", self.off_by(span, ahead))
    }

    fn off_by(&self, span: &str, ahead: bool) -> String {
        format!("{span} {}", if ahead { "빠름" } else { "느림" })
    }

    fn own(&self, own: Own) -> &'static str {
        match own {
            Own::Network => "네트워크",
            Own::Clock => "시계",
        }
    }

    fn reload_refused(&self, at: &str, findings: usize, first: &str) -> String {
        format!("{at}에 읽은 새 설정이 거부되어 이전 설정을 씀(지적 {}건, 첫째: {first})", number(findings))
    }

    fn suspected(&self, subject: &str) -> String {
        format!("{subject} 문제 의심")
    }

    fn next_check(&self, at: &str, at_the_latest: bool) -> String {
        format!("다음 요약 {}{at}", if at_the_latest { "늦어도 " } else { "" })
    }

    fn week_word(&self) -> &'static str {
        "주간 보고"
    }

    fn days(&self, from: NaiveDate, to: NaiveDate) -> String {
        let month = if from.month() == to.month() { String::new() } else { format!("{}월 ", to.month()) };
        format!("{}월 {}일~{month}{}일", from.month(), from.day(), to.day())
    }

    fn week_title(&self, days: &str, quiet: bool) -> String {
        if quiet { format!("조용한 한 주 — {days}") } else { format!("지난 한 주 — {days}") }
    }

    fn nothing_counted(&self, days: &str) -> String {
        format!("{days}에 센 것이 없습니다: 그 뒤부터 세기 시작했습니다")
    }

    fn woken_short(&self, woken: usize, before: Option<usize>) -> String {
        let before = before.map(|before| format!("(그 전주 {}회)", number(before))).unwrap_or_default();
        match woken {
            0 => format!("깨운 사람 없음{before}"),
            n => format!("방해 금지 시간에 깨운 횟수 {}회{before}", number(n)),
        }
    }

    fn woken(&self, woken: usize, before: Option<usize>) -> String {
        let beside = before.map(|before| format!("(그 전주 {}번)", number(before))).unwrap_or_default();
        match (woken, before) {
            (0, _) => format!("아무도 깨우지 않았습니다{beside}."),
            (n, Some(before)) if n < before => format!("사람을 깨운 것은 {}번뿐이었습니다{beside}.", number(n)),
            (n, _) => format!("사람을 깨운 것은 {}번이었습니다{beside}.", number(n)),
        }
    }

    fn deadlines_short(&self, deadlines: &Deadlines, unwatched: usize) -> String {
        match (deadlines.missed, deadlines.due()) {
            (0, 0) if unwatched == 0 => "마감 없음".to_owned(),
            (0, due) => format!("마감 준수 {}/{}", number(deadlines.met), number(due + unwatched)),
            (missed, due) => format!("마감 위반 {}/{}", number(missed), number(due + unwatched)),
        }
    }

    fn deadlines(&self, deadlines: &Deadlines, unwatched: usize, dashboards: usize) -> String {
        let due = deadlines.due() + unwatched;
        let all = format!("마감 {}개(대시보드 {}개)", number(due), number(dashboards));
        match (deadlines.missed, deadlines.met) {
            _ if due == 0 => "기다리는 사람이 있는 마감은 없었습니다.".to_owned(),
            (0, met) if met == due => format!("{all}를 모두 지켰습니다."),
            (0, met) => format!("{all} 중 {}개를 지켰습니다.", number(met)),
            (missed, _) => format!("{all} 중 {}개를 어겼습니다.", number(missed)),
        }
    }

    fn digests(&self, digests: &Digests) -> String {
        let missed = if digests.missed > 0 { format!(", 놓친 요약 {}건", number(digests.missed)) } else { String::new() };
        format!("게시한 요약 {}건, 알림 없이 기록만 한 요약 {}건{missed}.", number(digests.posted), number(digests.silent))
    }

    fn before(&self, text: &str) -> String {
        format!("그 전주 {text}")
    }

    fn missed_told(&self, deadlines: &Deadlines) -> String {
        let [missed, before, late, never] =
            [deadlines.missed, deadlines.told_before, deadlines.told_late, deadlines.untold].map(number);
        format!("{missed}건: 마감 전에 알림 {before}, 마감 시각부터 알림 {late}, 알리지 못함 {never}")
    }

    fn unseen(&self, deadlines: &Deadlines, unwatched: usize) -> String {
        let &Deadlines { unknown, pending, .. } = deadlines;
        let unknown = (unknown > 0).then(|| format!("확인하지 못한 마감 {}건", number(unknown)));
        let unwatched = (unwatched > 0).then(|| format!("감시하지 않은 마감 {}건(꺼져 있었거나 등록 전)", number(unwatched)));
        let pending = (pending > 0).then(|| format!("방금 지나 아직 확인 중인 마감 {}건", number(pending)));
        unknown.into_iter().chain(pending).chain(unwatched).collect::<Vec<_>>().join(", ")
    }

    fn asked_of(&self, asked: usize) -> String {
        format!("· 방해 금지 시간에 사람에게 요청(전체 요청 {}건)", number(asked))
    }

    fn healed_of(&self, healed: usize, incidents: usize) -> String {
        format!("{}건 (문제 {}건 중, 알리기 전에 스스로 복구)", number(healed), number(incidents))
    }

    fn grouped(&self, alerts: usize, messages: usize) -> String {
        format!("문제가 된 점검 {}건 → 메시지 {}건", number(alerts), number(messages))
    }

    fn false_alarms(&self, alarms: usize) -> String {
        match alarms {
            0 => "없음".to_owned(),
            n => format!("{}건 (요청했지만 실패한 실행 없이 지켜진 마감)", number(n)),
        }
    }

    fn quiet_hours(&self, quiet: i64, hours: i64, unwatched: i64) -> String {
        let off = if unwatched > 0 { format!(" (감시하지 못한 {unwatched}시간 제외)") } else { String::new() };
        format!("{hours}시간 중 {quiet}시간은 메시지 없음{off}")
    }

    fn cause_of_week(&self, subject: &str, said: &Said) -> String {
        let asked = match (said.asked, said.wakeups) {
            (0, _) => "요청 없음".to_owned(),
            (asked, 0) => format!("사람에게 요청 {}번", number(asked)),
            (asked, woken) => format!("사람에게 요청 {}번(방해 금지 시간 {}번)", number(asked), number(woken)),
        };
        format!("{subject}: 문제 {}건 · 메시지 {}건 · {asked}", number(said.incidents), number(said.messages))
    }

    fn counted_since(&self, at: &str) -> String {
        format!("{at}부터 센 값")
    }

    fn all_of_it(&self, command: &str) -> String {
        format!("전체: {command}")
    }

    fn next_week(&self, at: &str) -> String {
        format!("다음 주간 보고 {at}")
    }

    fn checked(&self, at: &str) -> String {
        format!("점검 {at}")
    }

    fn attention(&self, attention: Attention) -> &'static str {
        match attention {
            Attention::Silent => "기록만 함",
            Attention::Post => "푸시 없음, 아직 아무에게도 요청하지 않음",
            Attention::Notify => "조치를 요청합니다",
            Attention::Escalate => "다음 담당자께 요청합니다: 첫 요청 뒤에도 복구되지 않음",
        }
    }

    fn next(&self, cx: &Context<'_>, next: &Next) -> String {
        match next {
            Next::AskedAt { at, because } => {
                let because = match because {
                    AskedBecause::QuietEnds => "방해 금지 시간 끝",
                    AskedBecause::Deadline => "마감",
                    AskedBecause::ActBy => "조치할 수 있는 마지막 시각",
                    AskedBecause::AckEnds => "담당자의 시간이 끝남",
                };
                format!("{}({because})에 담당자에게 요청", cx.clock(*at))
            }
            Next::EscalatesAt(at) => format!("복구되지 않으면 {}에 다음 담당자에게 요청", cx.clock(*at)),
            Next::WhenResolved => "해결되면 알립니다".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn particles_follow_the_sound() {
        let closed =
            ["정산", "매출 요약본", "prod-1", "map", "snapshot", "block", "mapping", "URL", "sql", "dim", "run", "bucket", "v3"];
        let open = [
            "대시보드",
            "prod-2",
            "raw_member_events",
            "ad_revenue_daily",
            "member_export",
            "mart",
            "sheet",
            "DB",
            "batch",
            "v4",
            "→",
        ];
        assert!(closed.iter().all(|w| ends_closed(w)), "{:?}", closed.iter().filter(|w| !ends_closed(w)).collect::<Vec<_>>());
        assert!(!open.iter().any(|w| ends_closed(w)), "{:?}", open.iter().filter(|w| ends_closed(w)).collect::<Vec<_>>());
        assert_eq!((ga("정산"), neun("정산표"), reul("map")), ("정산이".into(), "정산표는".into(), "map을".into()));
    }
}

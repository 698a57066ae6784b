//! The rows of the stand-in as JSON, key by key as Airflow 3.3.2 was seen to give them.

use crate::core::time::Instant;
use crate::demo::night::cast::Pipeline;
use crate::demo::night::run::{Ending, Fault, Run, RunWord, Seen, SeenTask, TaskWord, Try};
use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

pub(super) const RUN_WORDS: [&str; 4] = ["queued", "running", "success", "failed"];

pub(super) fn run_word(word: RunWord) -> &'static str {
    match word {
        RunWord::Queued => "queued",
        RunWord::Running => "running",
        RunWord::Success => "success",
        RunWord::Failed => "failed",
    }
}

pub(super) fn task_word(word: TaskWord) -> Option<&'static str> {
    match word {
        TaskWord::None => None,
        TaskWord::Running => Some("running"),
        TaskWord::UpForReschedule => Some("up_for_reschedule"),
        TaskWord::UpForRetry => Some("up_for_retry"),
        TaskWord::Success => Some("success"),
        TaskWord::Failed => Some("failed"),
        TaskWord::UpstreamFailed => Some("upstream_failed"),
    }
}

/// Microseconds, or whole seconds without any.
fn time(at: Instant) -> String {
    let format = if at.timestamp_subsec_micros() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
    at.to_rfc3339_opts(format, true)
}

fn seconds(from: Option<Instant>, to: Option<Instant>) -> Option<f64> {
    let micros = (to? - from?).num_microseconds()?;
    #[expect(clippy::cast_precision_loss, reason = "a run's microseconds are far below 2^52")]
    Some(micros as f64 / 1e6)
}

/// An id in the shape of a UUID, the same for the same name.
fn uuid(name: &str) -> String {
    let hash = |seed: u64| name.bytes().fold(seed, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let (a, b) = (hash(0xcbf2_9ce4_8422_2325), hash(0x9e37_79b9_7f4a_7c15));
    format!("01a20313-{:04x}-7{:03x}-a{:03x}-{:012x}", a >> 48, a >> 20 & 0xfff, a & 0xfff, b >> 16)
}

pub(super) fn health(at: Instant) -> Value {
    let heartbeat = (at - TimeDelta::milliseconds(2_345)).to_rfc3339_opts(SecondsFormat::Micros, false);
    json!({
        "metadatabase": { "status": "healthy" },
        "scheduler": { "status": "healthy", "latest_scheduler_heartbeat": heartbeat },
        "triggerer": { "status": null, "latest_triggerer_heartbeat": null },
        "dag_processor": { "status": "healthy", "latest_dag_processor_heartbeat": heartbeat },
    })
}

pub(super) fn dag(pipeline: &Pipeline, next: Instant, at: Instant) -> Value {
    let Pipeline { id, hour, minute, .. } = pipeline;
    let tags = [pipeline.sort.to_string(), pipeline.domain.to_owned()];
    let tags = tags.map(|name| json!({ "name": name, "dag_id": id, "dag_display_name": id }));
    let file = format!("{}.py", pipeline.domain);
    json!({
        "dag_id": id,
        "dag_display_name": id,
        "is_paused": false,
        "is_stale": false,
        "last_parsed_time": time(at - TimeDelta::microseconds(21_417_861)),
        "last_parse_duration": 0.2049,
        "last_expired": null,
        "bundle_name": "dags-folder",
        "bundle_version": null,
        "relative_fileloc": file,
        "fileloc": format!("/srv/dags/{file}"),
        "description": null,
        "timetable_summary": format!("{minute} {hour} * * *"),
        "timetable_description": format!("At {hour:02}:{minute:02}"),
        "timetable_partitioned": false,
        "timetable_periodic": true,
        "tags": tags,
        "max_active_tasks": 16,
        "max_active_runs": 16,
        "max_consecutive_failed_dag_runs": 0,
        "has_task_concurrency_limits": false,
        "has_import_errors": false,
        // A cron string is a point in time, not an interval: all four are the same.
        "next_dagrun_logical_date": time(next),
        "next_dagrun_data_interval_start": time(next),
        "next_dagrun_data_interval_end": time(next),
        "next_dagrun_run_after": time(next),
        "allowed_run_types": null,
        "owners": [pipeline.owner],
        "is_backfillable": true,
        "file_token": uuid(&file),
    })
}

fn dag_version(pipeline: &Pipeline) -> Value {
    json!({
        "id": uuid(&pipeline.id),
        "version_number": 1,
        "dag_id": pipeline.id,
        "bundle_name": "dags-folder",
        "bundle_version": null,
        "created_at": "2026-11-02T04:45:14.763941Z",
        "dag_display_name": pipeline.id,
        "bundle_url": null,
    })
}

pub(super) fn dag_run(pipeline: &Pipeline, run: &Run, seen: Seen) -> Value {
    let after = time(run.run_after);
    json!({
        "dag_run_id": run.id(),
        "dag_id": pipeline.id,
        "logical_date": after,
        "queued_at": time(seen.queued_at),
        "start_date": seen.started_at.map(time),
        "end_date": seen.ended_at.map(time),
        "duration": seconds(seen.started_at, seen.ended_at),
        "data_interval_start": after,
        "data_interval_end": after,
        "run_after": after,
        "last_scheduling_decision": seen.started_at.map(|_| time(seen.updated_at)),
        "run_type": "scheduled",
        "state": run_word(seen.state),
        "triggered_by": "timetable",
        "triggering_user_name": null,
        "conf": {},
        "note": null,
        "dag_versions": [dag_version(pipeline)],
        "bundle_version": null,
        "dag_display_name": pipeline.id,
        "partition_key": null,
        "partition_date": null,
    })
}

pub(super) fn task_instance(pipeline: &Pipeline, run: &Run, seen: SeenTask) -> Value {
    let id = task_instance_id(pipeline, run, seen.task.id);
    let begun = seen.started_at.is_some();
    let scheduled = seen.started_at.map(|at| at - TimeDelta::microseconds(1_740_121));
    let queued = seen.started_at.map(|at| at - TimeDelta::microseconds(1_310_077));
    let operator = if seen.task.sensor { "ExternalTaskSensor" } else { "KubernetesPodOperator" };
    json!({
        "id": id,
        "task_id": seen.task.id,
        "dag_id": pipeline.id,
        "dag_run_id": run.id(),
        "map_index": -1,
        "logical_date": time(run.run_after),
        "run_after": time(run.run_after),
        "start_date": seen.started_at.map(time),
        "end_date": seen.ended_at.map(time),
        "duration": seconds(seen.started_at, seen.ended_at),
        "state": task_word(seen.state),
        "try_number": seen.try_number,
        "max_tries": seen.task.max_tries,
        "task_display_name": seen.task.id,
        "dag_display_name": pipeline.id,
        "hostname": if begun { "airflow-1" } else { "" },
        "unixname": "airflow",
        "pool": "default_pool",
        "pool_slots": 1,
        "queue": "default",
        "priority_weight": 1,
        "operator": operator,
        "operator_name": operator,
        "queued_when": queued.map(time),
        "scheduled_when": scheduled.map(time),
        "pid": begun.then_some(7_957),
        "executor": null,
        "executor_config": "{}",
        "note": null,
        "rendered_map_index": null,
        "rendered_fields": if begun { json!({ "templates_dict": null, "op_args": [], "op_kwargs": {} }) } else { json!({}) },
        "trigger": null,
        "triggerer_job": null,
        "dag_version": dag_version(pipeline),
    })
}

fn task_instance_id(pipeline: &Pipeline, run: &Run, task: &str) -> String {
    uuid(&format!("{}/{}/{task}", pipeline.id, run.run_after.timestamp()))
}

/// The log of one try, up to `at`.
pub(super) fn log(pipeline: &Pipeline, run: &Run, told: &Try, at: Instant) -> Value {
    let task = run.tasks[told.task].id;
    let line = |at: Instant, event: &str, level: &str| {
        json!({
            "timestamp": time(at),
            "event": event,
            "level": level,
            "ti_id": task_instance_id(pipeline, run, task),
            "try_number": told.number,
            "dag_id": pipeline.id,
            "map_index": -1,
            "task_id": task,
            "run_id": run.id(),
            "logger": "task",
            "filename": "task_runner.py",
            "lineno": 1676,
        })
    };
    let file = format!("dag_id={}/run_id={}/task_id={task}/attempt={}.log", pipeline.id, run.id(), told.number);
    let mut content = vec![
        json!({ "event": "::group::Log message source details" }),
        json!({ "event": file }),
        json!({ "event": "::endgroup::" }),
        line(told.start, "Worker startup parse complete", "info"),
        line(told.start, "::endgroup::", "info"),
    ];
    if told.end <= at {
        content.push(match told.ending {
            Ending::Success => line(told.end, "Task finished", "info"),
            Ending::Retry(fault) | Ending::Failed(fault) => {
                let mut failed = line(told.end, "Task failed with exception", "error");
                failed["error_detail"] = json!([error_detail(pipeline, fault)]);
                failed
            }
        });
        content.push(line(told.end, "::group::Post Execute", "info"));
        content.push(line(told.end, "::endgroup::", "info"));
    }
    json!({ "content": content, "continuation_token": null })
}

fn error_detail(pipeline: &Pipeline, fault: Fault) -> Value {
    json!({
        "exc_type": fault.kind,
        "exc_value": fault.text,
        "exc_notes": [],
        "syntax_error": null,
        "is_cause": false,
        "frames": [{ "filename": format!("/srv/dags/{}.py", pipeline.domain), "lineno": 38, "name": "body" }],
        "is_group": false,
        "exceptions": [],
    })
}

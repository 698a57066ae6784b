//! The methods of luigid that may be asked. Nothing else may ever become one: luigid takes `prune`, `disable_worker`, `add_task` and
//! the like by GET as well, from anybody.

/// A method that only reads. (Each first lets luigid drop what is over its time, as its own web page does.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// `{}` → task id → task with its `deps`.
    Graph,
    /// `{}` → task id → task, or `{"num_tasks": N}` where there are more than luigid's `max_shown_tasks`.
    TaskList,
    /// `{"task_id": …}` → `{"error": …, "taskFamily": …}`.
    FetchError,
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::TaskList => "task_list",
            Self::FetchError => "fetch_error",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// luigid's `@rpc_method`s that change something (`luigi/scheduler.py` of 3.8.1).
    const CHANGING: [&str; 23] = [
        "add_scheduler_message_response",
        "add_task",
        "add_task_batcher",
        "add_worker",
        "announce_scheduling_failure",
        "decrease_running_task_resources",
        "disable_worker",
        "forgive_failures",
        "get_work",
        "mark_as_done",
        "pause",
        "ping",
        "prune",
        "re_enable_task",
        "report_task_statistics",
        "send_scheduler_message",
        "set_task_progress_percentage",
        "set_task_status_message",
        "set_worker_processes",
        "unpause",
        "update_metrics_task_started",
        "update_resource",
        "update_resources",
    ];

    #[test]
    fn only_these_can_be_asked() {
        // Without a wildcard: a method that is added has to be named here.
        let reads = |method: Method| match method {
            Method::Graph | Method::TaskList | Method::FetchError => !CHANGING.contains(&method.name()),
        };
        assert!([Method::Graph, Method::TaskList, Method::FetchError].into_iter().all(reads));
        // The one way to an address takes a `Method`.
        let client = include_str!("client.rs");
        assert_eq!(client.matches("\"api\"").count(), 1);
        assert!(client.contains("extend([\"api\", method.name()])"));
        assert_eq!((client.matches(".get(").count(), client.matches(".post(").count()), (1, 0));
    }
}

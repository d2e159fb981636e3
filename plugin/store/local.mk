libsfprov_la_SOURCES += \
	plugin/store/accept.c plugin/store/accept.h \
	plugin/store/command.c \
	plugin/store/db.h \
	plugin/store/difference.c \
	plugin/store/due.c \
	plugin/store/find.c \
	plugin/store/group.c \
	plugin/store/guard.c \
	plugin/store/history.c \
	plugin/store/inspect.c \
	plugin/store/internal.h \
	plugin/store/lease.c \
	plugin/store/link.c \
	plugin/store/mend.c \
	plugin/store/list.h \
	plugin/store/log_file.c plugin/store/log_file.h \
	plugin/store/news.c \
	plugin/store/outcome.h \
	plugin/store/outlook.c \
	plugin/store/read.c \
	plugin/store/read_events.c \
	plugin/store/retention.c \
	plugin/store/schema.c \
	plugin/store/schema.h \
	plugin/store/snapshot.c \
	plugin/store/snapshot_apply.c \
	plugin/store/sqlite.c \
	plugin/store/store.c plugin/store/store.h \
	plugin/store/sweep.c \
	plugin/store/tally.c \
	plugin/store/told.c \
	plugin/store/wait.c \
	plugin/store/watch.c

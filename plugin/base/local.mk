libsfprov_la_SOURCES += \
	plugin/base/ascii.c plugin/base/ascii.h \
	plugin/base/cleanup.h \
	plugin/base/clock.c plugin/base/clock.h \
	plugin/base/digest.c plugin/base/digest.h \
	plugin/base/error.c plugin/base/error.h \
	plugin/base/fork.c plugin/base/fork.h \
	plugin/base/json.c plugin/base/json.h \
	plugin/base/json_write.c plugin/base/json_write.h \
	plugin/base/key.c plugin/base/key.h \
	plugin/base/log.c plugin/base/log.h \
	plugin/base/pool.c plugin/base/pool.h \
	plugin/base/seal.c plugin/base/seal.h \
	plugin/base/secret.c plugin/base/secret.h \
	plugin/base/secret_ref.c plugin/base/secret_ref.h \
	plugin/base/value.c plugin/base/value.h \
	plugin/base/value_json.c plugin/base/value_json.h \
	plugin/base/value_read.c plugin/base/value_write.c

libsfprov_la_SOURCES += \
	plugin/delivery/adopt.c \
	plugin/delivery/check.c plugin/delivery/check.h \
	plugin/delivery/check_fields.c \
	plugin/delivery/check_login.c \
	plugin/delivery/check_network.c \
	plugin/delivery/check_org.c \
	plugin/delivery/check_user.c \
	plugin/delivery/codes.c plugin/delivery/codes.h \
	plugin/delivery/collisions.c plugin/delivery/collisions.h \
	plugin/delivery/delivery.h \
	plugin/delivery/drift.c \
	plugin/delivery/ending.c plugin/delivery/ending.h \
	plugin/delivery/facts.c \
	plugin/delivery/flights.c \
	plugin/delivery/freeze.c \
	plugin/delivery/guard.c \
	plugin/delivery/history.c \
	plugin/delivery/in_flight.c \
	plugin/delivery/internal.h \
	plugin/delivery/item.c \
	plugin/delivery/keeper.c \
	plugin/delivery/login.c \
	plugin/delivery/lookup.c \
	plugin/delivery/match.c plugin/delivery/match.h \
	plugin/delivery/match_query.c \
	plugin/delivery/name_list.c plugin/delivery/name_list.h \
	plugin/delivery/names.c \
	plugin/delivery/names_chain.c plugin/delivery/names_chain.h \
	plugin/delivery/orders.c \
	plugin/delivery/org.c \
	plugin/delivery/org_facts.c plugin/delivery/org_facts.h \
	plugin/delivery/org_names.c plugin/delivery/org_names.h \
	plugin/delivery/password.c \
	plugin/delivery/plan.c plugin/delivery/plan.h \
	plugin/delivery/policy.c plugin/delivery/policy.h \
	plugin/delivery/preview.c plugin/delivery/preview.h \
	plugin/delivery/refusals.c plugin/delivery/refusals.h \
	plugin/delivery/released.c plugin/delivery/released.h \
	plugin/delivery/repair.c \
	plugin/delivery/replan.c plugin/delivery/replan.h \
	plugin/delivery/rights.c plugin/delivery/rights.h \
	plugin/delivery/round.c \
	plugin/delivery/quarantine.c \
	plugin/delivery/quota.c \
	plugin/delivery/seats.c \
	plugin/delivery/send.c \
	plugin/delivery/share_calls.c \
	plugin/delivery/settle.c \
	plugin/delivery/tell.c \
	plugin/delivery/twin.c \
	plugin/delivery/unknown.c \
	plugin/delivery/upkeep.c \
	plugin/delivery/waits.c \
	plugin/delivery/worker.c

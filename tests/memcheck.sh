#!/bin/sh
# One unit test program under valgrind: memcheck.sh PROGRAM LOG. A program that leaks or reads what
# was never set fails. The result, 0 or another number, is written to LOG.rc.
program=$1 log=$2
case $program in
# they fork while other threads work: what those held is lost in the child, and not ours to free;
# AddressSanitizer looks for leaks in them
*/test_base | */test_snapshot | */test_store_file) leaks=no ;;
*) leaks=full ;;
esac
timeout 1200 valgrind -q --error-exitcode=9 --leak-check=$leaks \
    --errors-for-leak-kinds=definite,indirect,possible \
    --child-silent-after-fork=yes "$program" >"$log" 2>&1
echo $? >"$log.rc"

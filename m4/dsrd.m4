# SPDX-License-Identifier: ISC
# The few macros configure.ac needs that autoconf has not.

# DSRD_COMPILE_FLAG(VARIABLE, FLAG)
# Appends FLAG to VARIABLE when the compiler takes it. -Werror is needed to see clang's "unknown warning option".
AC_DEFUN([DSRD_COMPILE_FLAG], [
	AS_VAR_PUSHDEF([cache], [dsrd_cv_cflag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cache], [
		dsrd_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$dsrd_save_CFLAGS
	])
	AS_VAR_IF([cache], [yes], [$1="${$1} $2"])
	AS_VAR_POPDEF([cache])
])

# DSRD_LINK_FLAG(VARIABLE, FLAG)
# Appends FLAG to VARIABLE when a program can be linked with it.
AC_DEFUN([DSRD_LINK_FLAG], [
	AS_VAR_PUSHDEF([cache], [dsrd_cv_ldflag_$2])
	AC_CACHE_CHECK([whether the linker takes $2], [cache], [
		dsrd_save_CFLAGS=$CFLAGS
		dsrd_save_LDFLAGS=$LDFLAGS
		CFLAGS="$CFLAGS $HARDEN_CFLAGS $SANITIZE_CFLAGS -Werror"
		LDFLAGS="$LDFLAGS $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$dsrd_save_CFLAGS
		LDFLAGS=$dsrd_save_LDFLAGS
	])
	AS_VAR_IF([cache], [yes], [$1="${$1} $2"])
	AS_VAR_POPDEF([cache])
])

# DSRD_TRY_LINK(VARIABLE, CFLAGS, LIBS, INCLUDES, BODY, VERSION)
# When VARIABLE_found is still "no": sets VARIABLE_CFLAGS and VARIABLE_LIBS, and VARIABLE_found and VARIABLE_version,
# if a program with BODY links with them.
AC_DEFUN([DSRD_TRY_LINK], [
	AS_IF([test "x$$1_found" = xno], [
		dsrd_save_CPPFLAGS=$CPPFLAGS
		dsrd_save_LIBS=$LIBS
		CPPFLAGS="$CPPFLAGS $2"
		LIBS="$3 $LIBS"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([$4], [$5])], [
			$1_CFLAGS="$2"
			$1_LIBS="$3"
			$1_found=yes
			$1_version="$6"
		])
		CPPFLAGS=$dsrd_save_CPPFLAGS
		LIBS=$dsrd_save_LIBS
	])
])

# DSRD_COMPLETION(SHELL, NAME, DIRECTORY): --with-SHELL-completion-dir. DIRECTORY is where the shell looks below any
# prefix that it knows; a package may know better, or want none.
AC_DEFUN([DSRD_COMPLETION], [
	AC_ARG_WITH([$1-completion-dir],
		[AS_HELP_STRING([--with-$1-completion-dir=DIR], [install completions for $1 there, or "no" (default: DATADIR/$3)])],
		[], [with_$1_completion_dir=yes])
	AS_IF([test "x$with_$1_completion_dir" = xyes], [with_$1_completion_dir='${datadir}/$3'])
	AM_CONDITIONAL([INSTALL_$2_COMPLETION], [test "x$with_$1_completion_dir" != xno])
	AC_SUBST([$1completiondir], [$with_$1_completion_dir])
])

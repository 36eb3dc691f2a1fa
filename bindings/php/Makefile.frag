# SPDX-License-Identifier: MIT
$(top_builddir)/core/libsafehold.a:
	$(SAFEHOLD_CMAKE) -S $(PHP_SAFEHOLD_SOURCE) -B $(top_builddir)/core -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	  -DSAFEHOLD_BUILD_SHARED=OFF -DSAFEHOLD_BUILD_CLI=OFF -DSAFEHOLD_BUILD_UV=OFF -DSAFEHOLD_BUILD_EXAMPLES=OFF \
	  -DSAFEHOLD_BUILD_TESTS=OFF -DSAFEHOLD_INSTALL=OFF
	$(SAFEHOLD_CMAKE) --build $(top_builddir)/core --target safehold_static

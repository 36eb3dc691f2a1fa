// SPDX-License-Identifier: MIT
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** java Partner.java PATH: FileChannel.tryLock as the other party of test_interop.c. See there for what is asked. */
class Partner {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    FileChannel file = null;

    System.out.println("ready: Java " + System.getProperty("java.version"));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      if (line.equals("drop")) {
        file.close();
        System.out.println("dropped");
        continue;
      }
      file = FileChannel.open(Path.of(args[0]), StandardOpenOption.READ, StandardOpenOption.WRITE);
      if (file.tryLock(0, Long.MAX_VALUE, line.endsWith("s")) != null) {
        System.out.println("held");
      } else {
        file.close();
        System.out.println("busy");
      }
    }
  }
}

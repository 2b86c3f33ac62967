package kafka;

import java.util.ArrayList;
import java.util.List;

/**
 * Carries the name of Kafka's main class, so that discovery takes this process
 * for a broker. It allocates until some collections have run, then says "ready"
 * and stands still until standard input ends.
 */
public final class Kafka {
    static List<byte[]> kept = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        byte[] last = null;
        for (int i = 0; i < 4000; i++) {
            last = new byte[16 * 1024];
            if (i % 40 == 0) {
                kept.add(last);
            }
        }
        System.out.println("ready " + last.length);
        while (System.in.read() >= 0) {
        }
    }
}

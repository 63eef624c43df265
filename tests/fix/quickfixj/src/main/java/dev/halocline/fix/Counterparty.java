package dev.halocline.fix;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import quickfix.Application;
import quickfix.DataDictionary;
import quickfix.DefaultMessageFactory;
import quickfix.DoNotSend;
import quickfix.FieldNotFound;
import quickfix.FileStoreFactory;
import quickfix.Message;
import quickfix.Session;
import quickfix.SessionID;
import quickfix.SessionSettings;
import quickfix.SocketInitiator;
import quickfix.field.MsgType;
import quickfix.field.Password;
import quickfix.field.Username;

/**
 * Initiates every session of a QuickFIX/J settings file and does what stdin says, a line each:
 *
 * <pre>
 *   send SENDER FIELDS   an application message; FIELDS are 35=8|37=o1|… without header and trailer, checked by QuickFIX/J's own dictionary
 *   logout SENDER        Logout; it stays logged out
 *   logon SENDER         logs on again
 *   end                  logs all out and exits (so does the end of stdin)
 * </pre>
 *
 * What happens comes out on stdout, a line each: {@code logon SENDER}, {@code logout SENDER}, {@code sent SENDER NUMBER},
 * {@code message SENDER FIELDS} for application messages and {@code session SENDER FIELDS} for those of the session layer. A message
 * that QuickFIX/J's dictionary finds wrong is answered by it with a Reject, and is told as {@code refused SENDER FIELDS}.
 */
public final class Counterparty implements Application {
  private static final char SOH = '\001';
  private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
  private final SessionSettings settings;
  private final Map<String, SessionID> sessions = new HashMap<>();
  private final Map<String, DataDictionary> dictionaries = new HashMap<>();

  private Counterparty(SessionSettings settings) {
    this.settings = settings;
  }

  public static void main(String[] args) throws Exception {
    if (args.length != 1) {
      System.err.println("usage: Counterparty SETTINGS   (the head of Counterparty.java says what stdin takes)");
      System.exit(2);
    }
    SessionSettings settings = new SessionSettings(args[0]);
    Counterparty counterparty = new Counterparty(settings);
    System.setOut(System.err);  // QuickFIX/J's own log goes where logs go
    SocketInitiator initiator =
        new SocketInitiator(counterparty, new FileStoreFactory(settings), settings, new DefaultMessageFactory());
    initiator.start();
    try {
      counterparty.obey();
    } finally {
      initiator.stop();
    }
  }

  private void obey() throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null && !line.equals("end"); line = in.readLine()) {
      String[] words = line.split(" ", 3);
      Session session = words.length > 1 && sessions.containsKey(words[1]) ? Session.lookupSession(sessions.get(words[1])) : null;
      if (session == null) {
        throw new IllegalArgumentException("no such session: " + line);
      }
      switch (words[0]) {
        case "send" -> session.send(message(session.getSessionID(), words[2]));
        case "logout" -> session.logout("the day is done");
        case "logon" -> session.logon();
        default -> throw new IllegalArgumentException("no such command: " + line);
      }
    }
  }

  /** Parsed, so that repeating groups are groups, and checked: what we send is right by the FIX version's own dictionary. */
  private Message message(SessionID id, String fields) throws Exception {
    DataDictionary dictionary = dictionaries.get(id.getBeginString());
    if (dictionary == null) {
      dictionary = new DataDictionary(id.getBeginString().replace(".", "") + ".xml");
      dictionaries.put(id.getBeginString(), dictionary);
    }
    String[] typeAndBody = fields.split("\\|", 2);
    String inner = typeAndBody[0] + SOH + "49=" + id.getSenderCompID() + SOH + "56=" + id.getTargetCompID() + SOH
        + "34=1" + SOH + "52=20260102-03:04:05.000" + SOH + typeAndBody[1].replace('|', SOH) + SOH;
    String whole = "8=" + id.getBeginString() + SOH + "9=" + inner.getBytes(StandardCharsets.UTF_8).length + SOH + inner;
    int sum = 0;
    for (byte b : whole.getBytes(StandardCharsets.UTF_8)) {
      sum += b & 0xff;
    }
    Message message = new Message();
    message.fromString(whole + "10=" + String.format("%03d", sum % 256) + SOH, dictionary, true);
    dictionary.validate(message);
    return message;
  }

  private void tell(String what, SessionID id, Object more) {
    out.println(what + " " + id.getSenderCompID() + " " + more.toString().replace(SOH, '|'));
  }

  @Override
  public void onCreate(SessionID id) {
    sessions.put(id.getSenderCompID(), id);
  }

  @Override
  public void onLogon(SessionID id) {
    tell("logon", id, "");
  }

  @Override
  public void onLogout(SessionID id) {
    tell("logout", id, "");
  }

  @Override
  public void toAdmin(Message message, SessionID id) {
    try {
      String type = message.getHeader().getString(MsgType.FIELD);
      if (type.equals(MsgType.LOGON) && settings.isSetting(id, "Username")) {
        message.setString(Username.FIELD, settings.getString(id, "Username"));
        message.setString(Password.FIELD, settings.getString(id, "Password"));
      }
      if (type.equals(MsgType.REJECT)) {
        tell("refused", id, message);
      }
    } catch (FieldNotFound | quickfix.ConfigError wrong) {
      throw new IllegalStateException(wrong);
    }
  }

  @Override
  public void fromAdmin(Message message, SessionID id) {
    tell("session", id, message);
  }

  @Override
  public void toApp(Message message, SessionID id) throws DoNotSend {
    try {
      tell("sent", id, message.getHeader().getInt(quickfix.field.MsgSeqNum.FIELD));
    } catch (FieldNotFound wrong) {
      throw new IllegalStateException(wrong);
    }
  }

  @Override
  public void fromApp(Message message, SessionID id) {
    tell("message", id, message);
  }
}
